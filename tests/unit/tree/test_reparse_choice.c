/* reparse_choice.h: which reparse points pass, and what is counted of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/list_source.h"
#include "tree/reparse_choice.h"

static const uint8_t cloud[] = {0x1a, 0, 0, 0x90, 0, 0, 0, 0};
static const uint8_t app[] = {0x1b, 0, 0, 0x80, 0, 0, 0, 0};

static void add(struct list_source *l, const char *path, const uint8_t raw[8])
{
    list_add(l, ENTRY_REPARSE, path)->reparse = bytes_make(raw, 8);
}

/* A choice over t, t/a and t/d (app-exec-link), t/b and t/c (cloud), t/e (a file). */
static struct source *choice(struct reparse_policies *policies, const char *wish)
{
    struct list_source *l = list_source_new();
    struct source *s;

    list_add(l, ENTRY_DIRECTORY, "t");
    add(l, "t/a", app);
    add(l, "t/b", cloud);
    add(l, "t/c", cloud);
    add(l, "t/d", app);
    list_file(l, "t/e", "content");
    if (wish != NULL)
        assert_int_equal(reparse_policies_add(policies, bytes_of(wish), NULL), 0);
    assert_int_equal(reparse_choice_new(list_source(l), policies, &s, NULL), 0);
    return s;
}

/* The last components of all entries, those with a problem with a ! behind them. */
static const char *pass(struct source *s)
{
    static char text[32];
    const struct entry *e, *loaded;
    size_t at = 0;

    while (source_next(s, &e, NULL) == 1) {
        enum problem_scope scope = e->problem_scope;

        text[at++] = (char)entry_name(e).data[0];
        assert_int_equal(source_load(s, &loaded, NULL), 0);
        assert_int_equal(loaded->problem_scope, scope);
        if (scope == PROBLEM_ENTRY) {
            assert_int_equal(loaded->problem->kind, ERROR_REFUSED);
            text[at++] = '!';
        }
    }
    text[at] = 0;
    return text;
}

static void check_count(struct source *s, size_t at, struct reparse_count want)
{
    size_t count;
    const struct reparse_count *counts = reparse_choice_counts(s, &count);

    assert_int_equal(count, 2);
    assert_int_equal(counts[at].tag, want.tag);
    assert_int_equal(counts[at].entries, want.entries);
    assert_int_equal(counts[at].policy, want.policy);
}

static void test_all_pass(void **state)
{
    struct reparse_policies policies = {0};
    struct source *s = choice(&policies, NULL);

    (void)state;
    assert_string_equal(pass(s), "tabcde");
    check_count(s, 0, (struct reparse_count){0x8000001b, REPARSE_RAW, 2});
    check_count(s, 1, (struct reparse_count){0x9000001a, REPARSE_RAW, 2});
    source_close(s);
}

static void test_skipped(void **state)
{
    struct reparse_policies policies = {0};
    struct source *s = choice(&policies, "cloud=skip");

    (void)state;
    assert_string_equal(pass(s), "tade");
    check_count(s, 1, (struct reparse_count){0x9000001a, REPARSE_SKIP, 2});
    source_close(s);
}

static void test_refused(void **state)
{
    struct reparse_policies policies = {0};
    struct source *s = choice(&policies, "0x8000001B=refuse");

    (void)state;
    assert_string_equal(pass(s), "ta!bcd!e");
    check_count(s, 0, (struct reparse_count){0x8000001b, REPARSE_REFUSE, 2});
    source_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_pass),
        cmocka_unit_test(test_skipped),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
