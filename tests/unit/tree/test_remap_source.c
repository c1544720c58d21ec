/*
 * Links that pass with other targets: of both systems, and from one to the other.
 */
#include "tree/remap_source.h"

#include "link/reparse.h"
#include "support/check.h"
#include "support/list_source.h"
#include "support/stream.h"

/* Counts what it is told. */
struct counter {
    struct remap_listener listener;
    size_t entries, mapped, impossible;
};

static int count(struct remap_listener *l, const struct entry *old, const struct entry *now,
                 const struct remap_result *result, struct error *err)
{
    struct counter *c = (struct counter *)l;

    (void)err;
    c->entries++;
    c->mapped += result && result->outcome == REMAP_MAPPED;
    c->impossible += result && result->outcome == REMAP_IMPOSSIBLE;
    assert_int_equal(old != now, result && result->outcome == REMAP_MAPPED);
    return 0;
}

static enum remap_far_end far_end(struct remap_listener *l, struct bytes old, struct bytes now)
{
    (void)l;
    check_text(bytes_make(now.data, 3), "C:\\");
    return bytes_equal(old, bytes_of("/c/folder")) ? REMAP_FAR_FOLDER : REMAP_FAR_UNKNOWN;
}

/* The list behind rules; both are the caller's. */
static struct source *with_rules(struct list_source *l, struct remap *rules, const char *rule,
                                 enum remap_across across, struct counter *c)
{
    struct remap_options options = {.rules = rules, .across = across, .listener = &c->listener};
    struct source *s = NULL;
    struct error err = {0};

    *c = (struct counter){.listener = {count, far_end}};
    check_done(remap_add_text(rules, bytes_of(rule), &err));
    check_done(remap_source_new(list_source(l), &options, &s, &err));
    return s;
}

/* A junction or symbolic link of Windows in the list. */
static void add_windows(struct list_source *l, const char *path, enum reparse_made what,
                        const char *target)
{
    static struct buffer raws[4], texts[4];
    static size_t used;
    struct reparse made = {0};
    struct error err = {0};
    struct buffer *raw = &raws[used % 4], *text = &texts[used % 4];

    used++;
    buffer_clear(raw);
    check_done(reparse_make(what, bytes_of(target), &made, &err));
    check_done(reparse_encode(&made, raw, &err));
    reparse_release(&made);
    check_done(entry_set_reparse(list_add(l, ENTRY_SYMLINK, path), buffer_bytes(raw),
                                 what == REPARSE_MAKE_JUNCTION, text, &err));
}

static void links_of_this_system(void **state)
{
    struct list_source *l = list_source_new();
    struct remap rules = {0};
    struct counter c;
    struct source *s;

    (void)state;
    list_add(l, ENTRY_DIRECTORY, "t");
    list_file(l, "t/file", "x");
    list_link(l, "t/a", "/old/x");
    list_link(l, "t/b", "/older");
    list_link(l, "t/c", "old");
    s = with_rules(l, &rules, "/old=/new", REMAP_ACROSS, &c);
    check_stream(s, "d:t l:t/a>/new/x l:t/b>/older l:t/c>old f:t/file");
    assert_int_equal(c.entries, 5);
    assert_int_equal(c.mapped, 1);
    source_close(s);
    remap_release(&rules);
}

static void loading_keeps_the_new_target(void **state)
{
    struct list_source *l = list_source_new();
    struct remap rules = {0};
    struct error err = {0};
    const struct entry *e;
    struct counter c;
    struct source *s;

    (void)state;
    list_link(l, "t/a", "/old/x");
    list_link(l, "t/b", "/x");
    s = with_rules(l, &rules, "/old=/new", REMAP_ACROSS, &c);
    e = stream_until(s, "t/a");
    check_done(source_load(s, &e, &err));
    check_text(e->target, "/new/x");
    e = stream_until(s, "t/b");
    check_done(source_load(s, &e, &err));
    check_text(e->target, "/x");
    source_close(s);
    remap_release(&rules);
}

static void a_junction_becomes_a_link_of_this_system_if_it_may(void **state)
{
    for (int across = REMAP_ACROSS; across <= REMAP_WITHIN; across++) {
        struct list_source *l = list_source_new();
        struct remap rules = {0};
        const struct entry *e;
        struct counter c;
        struct source *s;

        add_windows(l, "t/j", REPARSE_MAKE_JUNCTION, "C:\\a\\b");
        s = with_rules(l, &rules, "C:\\=/c", (enum remap_across)across, &c);
        e = stream_until(s, "t/j");
        assert_int_equal(e->kind, across == REMAP_ACROSS ? ENTRY_SYMLINK : ENTRY_JUNCTION);
        assert_int_equal(e->reparse.size == 0, across == REMAP_ACROSS);
        check_text(e->target, across == REMAP_ACROSS ? "/c/a/b" : "C:\\a\\b");
        assert_int_equal(c.mapped, across == REMAP_ACROSS);
        assert_int_equal(c.impossible, across == REMAP_WITHIN);
        source_close(s);
        remap_release(&rules);
    }
    (void)state;
}

static void a_link_of_this_system_becomes_one_of_windows_if_it_may(void **state)
{
    struct list_source *l = list_source_new();
    struct remap rules = {0};
    const struct entry *e;
    struct counter c;
    struct source *s;

    (void)state;
    list_link(l, "t/file", "/c/file");
    list_link(l, "t/folder", "/c/folder");
    list_link(l, "t/odd", "/c/a:b");
    s = with_rules(l, &rules, "/c=C:\\", REMAP_ACROSS, &c);
    e = stream_until(s, "t/file");
    check_text(e->target, "C:\\file");
    assert_true(e->reparse.size && !e->folder_flavour);
    e = stream_until(s, "t/folder");
    check_text(e->target, "C:\\folder");
    assert_true(e->reparse.size && e->folder_flavour);
    e = stream_until(s, "t/odd");
    check_text(e->target, "/c/a:b");
    assert_int_equal(c.impossible, 1);
    source_close(s);
    remap_release(&rules);
}

static void what_cannot_be_read_passes(void **state)
{
    struct list_source *l = list_source_new();
    struct remap rules = {0};
    struct counter c;
    struct source *s;

    (void)state;
    list_add(l, ENTRY_DIRECTORY, "t");
    list_problem(l, PROBLEM_CONTENT, "t");
    list_problem(l, PROBLEM_ENTRY, "t/x");
    s = with_rules(l, &rules, "/old=/new", REMAP_ACROSS, &c);
    check_stream(s, "d:t !:t ?:t/x");
    source_close(s);
    remap_release(&rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_of_this_system),
        cmocka_unit_test(loading_keeps_the_new_target),
        cmocka_unit_test(a_junction_becomes_a_link_of_this_system_if_it_may),
        cmocka_unit_test(a_link_of_this_system_becomes_one_of_windows_if_it_may),
        cmocka_unit_test(what_cannot_be_read_passes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
