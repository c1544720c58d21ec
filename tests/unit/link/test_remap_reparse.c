/*
 * Reparse buffers under rules: every file of fixtures/remap is a case.
 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "link/remap.h"

#include "support/check.h"
#include "support/fixture.h"

/* A case as its file tells it. */
struct remap_case {
    struct buffer file, in, out, target;
    struct remap rules;
    enum remap_outcome outcome;
    struct bytes reason;
};

static void release(struct remap_case *c)
{
    buffer_release(&c->file);
    buffer_release(&c->in);
    buffer_release(&c->out);
    buffer_release(&c->target);
    remap_release(&c->rules);
}

/* Takes a line that is no bytes; `to` then is where bytes go that follow. */
static void read_word(struct remap_case *c, struct bytes line, struct buffer **to)
{
    struct error err = {0};
    struct bytes before;

    if (fixture_before(&line, "rule: ", &before)) {
        check_done(remap_add_text(&c->rules, line, &err));
    } else if (fixture_before(&line, "mapped: ", &before)) {
        c->outcome = REMAP_MAPPED;
        fixture_text(line, &c->target);
    } else if (fixture_before(&line, "impossible: ", &before)) {
        c->outcome = REMAP_IMPOSSIBLE;
        c->reason = line;
    } else if (fixture_before(&line, "in:", &before)) {
        *to = &c->in;
    } else if (fixture_before(&line, "out:", &before)) {
        *to = &c->out;
    } else {
        check_text(line, "unchanged");
    }
}

static void read_case(const char *name, struct remap_case *c)
{
    struct buffer *to = NULL;
    struct bytes left, line;
    char path[300];

    (void)snprintf(path, sizeof path, "remap/%s", name);
    fixture_read(path, &c->file);
    left = buffer_bytes(&c->file);
    while (fixture_line(&left, &line)) {
        if (line.size && line.data[0] == '#')
            continue;
        if (line.size && line.data[0] == ' ')
            fixture_bytes(line, to);
        else
            read_word(c, line, &to);
    }
    assert_true(c->in.size && c->rules.count);
    assert_int_equal(c->outcome == REMAP_MAPPED, c->out.size > 0);
}

static void check_case(const char *name)
{
    struct remap_case c = {0};
    struct remap_result result;
    struct reparse r = {0}, again = {0};
    struct error err = {0};

    read_case(name, &c);
    check_done(reparse_decode(buffer_bytes(&c.in), &r, &err));
    check_done(remap_reparse(&c.rules, &r, &result, &err));
    if (result.outcome != c.outcome)
        fail_msg("%s: outcome %d (%s)", name, (int)result.outcome,
                 result.reason ? result.reason : "");
    if (c.outcome == REMAP_IMPOSSIBLE)
        check_text(c.reason, result.reason);
    if (!bytes_equal(buffer_bytes(&result.raw), buffer_bytes(&c.out)))
        fail_msg("%s: other bytes", name);
    if (!bytes_equal(buffer_bytes(&result.target), buffer_bytes(&c.target)))
        fail_msg("%s: other target: %.*s", name, (int)result.target.size,
                 (const char *)result.target.data);
    if (c.outcome == REMAP_MAPPED) {
        check_done(reparse_decode(buffer_bytes(&c.out), &again, &err));
        assert_int_equal(again.tag, r.tag);
        assert_true(reparse_is_link(&again));
        reparse_release(&again);
    }
    remap_result_release(&result);
    reparse_release(&r);
    release(&c);
}

static void every_case_of_the_fixtures_holds(void **state)
{
    DIR *folder = opendir(HOLDFAST_FIXTURES "/remap");
    struct dirent *entry;
    size_t count = 0;

    (void)state;
    assert_non_null(folder);
    while ((entry = readdir(folder))) {
        if (strstr(entry->d_name, ".txt")) {
            check_case(entry->d_name);
            count++;
        }
    }
    (void)closedir(folder);
    assert_true(count >= 40);
}

/* The plan is one table, the undo another: the inverse rule brings each link back. */
static void the_inverse_rule_brings_links_back(void **state)
{
    static const char *const links[] = {
        "030000a0 2400 0000 0000 1000 1200 0800 \"\\??\\C:\\a\" 0000 \"C:\\a\" 0000",
        "030000a0 1c00 0000 0000 1000 1200 0000 \"\\??\\C:\\a\" 0000 0000",
        "0c0000a0 2a00 cdab 0c00 1000 0200 0800 000000c0 01ff \"C:\\a\" 02ff \"\\??\\C:\\a\" 03ff",
        "0c0000a0 1c00 0000 0000 1000 0000 1000 00000000 \"\\??\\C:\\a\"",
    };
    struct remap there = {0}, back = {0};
    struct error err = {0};

    (void)state;
    check_done(remap_add_text(&there, bytes_of("C:\\=D:\\x y"), &err));
    check_done(remap_add_text(&back, bytes_of("D:\\x y=C:\\"), &err));
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        struct buffer raw = {0};
        struct reparse r = {0}, moved = {0};
        struct remap_result first, second;

        fixture_bytes(bytes_of(links[i]), &raw);
        check_done(reparse_decode(buffer_bytes(&raw), &r, &err));
        check_done(remap_reparse(&there, &r, &first, &err));
        assert_int_equal(first.outcome, REMAP_MAPPED);
        check_done(reparse_decode(buffer_bytes(&first.raw), &moved, &err));
        check_done(remap_reparse(&back, &moved, &second, &err));
        assert_int_equal(second.outcome, REMAP_MAPPED);
        assert_true(bytes_equal(buffer_bytes(&second.raw), buffer_bytes(&raw)));
        remap_result_release(&first);
        remap_result_release(&second);
        reparse_release(&r);
        reparse_release(&moved);
        buffer_release(&raw);
    }
    remap_release(&there);
    remap_release(&back);
}

static void no_rules_change_nothing(void **state)
{
    struct remap none = {0};
    struct remap_result result;
    struct reparse r = {0};
    struct error err = {0};

    (void)state;
    check_done(reparse_make(REPARSE_MAKE_JUNCTION, bytes_of("C:\\a"), &r, &err));
    check_done(remap_reparse(&none, &r, &result, &err));
    assert_int_equal(result.outcome, REMAP_UNCHANGED);
    assert_null(result.raw.data);
    reparse_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_of_the_fixtures_holds),
        cmocka_unit_test(the_inverse_rule_brings_links_back),
        cmocka_unit_test(no_rules_change_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
