/*
 * Links that are to lead elsewhere: the source that yields them.
 */
#include "tree/retarget.h"

#include "support/check.h"
#include "support/list_source.h"
#include "support/stream.h"
#include "support/told.h"

static void add(struct retargets *list, const char *path, const char *from, const char *to)
{
    struct retarget link = {
        .path = bytes_of(path), .from = bytes_of(from), .to = bytes_of(to), .group = 0};
    struct error err = {0};

    check_done(retargets_add(list, &link, &err));
}

/* A tree with the folder t/d, in which the links are added. */
static struct list_source *tree(void)
{
    struct list_source *l = list_source_new();

    list_add(l, ENTRY_DIRECTORY, "t");
    list_add(l, ENTRY_DIRECTORY, "t/d");
    return l;
}

static struct source *changed(struct list_source *l, const struct retargets *list,
                              enum retarget_direction direction, struct told *told)
{
    struct retarget_options options = {list, direction, "t", &told->watcher};
    struct source *s = NULL;
    struct error err = {0};

    told_init(told);
    check_done(retarget_source_new(list_source(l), &options, &s, &err));
    return s;
}

static void links_come_behind_their_folders(void **state)
{
    struct list_source *l = tree();
    struct retargets list = {0};
    struct told told;
    struct source *s;

    (void)state;
    list_link(l, "t/a", "1");
    list_link(l, "t/d/b", "2");
    list_link(l, "t/z", "3");
    list_link(l, "t/other", "4");
    add(&list, "a", "1", "one");
    add(&list, "d/b", "2", "two");
    add(&list, "z", "3", "three");
    s = changed(l, &list, RETARGET_FORTH, &told);
    assert_false(source_facts(s)->ordered);
    check_stream(s, "d:t l:t/a>one d:t/d l:t/d/b>two l:t/z>three");
    check_told(&told, "");
    source_close(s);
    told_release(&told);
    retargets_release(&list);
}

static void what_is_done_or_has_changed_is_left_out(void **state)
{
    struct list_source *l = tree();
    struct retargets list = {0};
    struct told told;
    struct source *s;

    (void)state;
    list_link(l, "t/a", "1");
    list_link(l, "t/b", "two");
    list_link(l, "t/c", "else");
    list_file(l, "t/d/file", "");
    add(&list, "a", "1", "one");
    add(&list, "b", "2", "two");
    add(&list, "c", "3", "three");
    add(&list, "d/file", "4", "four");
    add(&list, "gone", "5", "five");
    s = changed(l, &list, RETARGET_FORTH, &told);
    check_stream(s, "d:t l:t/a>one d:t/d");
    assert_int_equal(retarget_source_done(s), 1);
    check_told(&told, "error t/c: it has changed since, and is left as it is; "
                      "error t/d/file: it has changed since, and is left as it is; "
                      "error t/gone: it is not there now");
    source_close(s);
    told_release(&told);
    retargets_release(&list);
}

static void backwards_from_and_to_change_places(void **state)
{
    struct list_source *l = tree();
    struct retargets list = {0};
    struct told told;
    struct source *s;

    (void)state;
    list_link(l, "t/a", "one");
    add(&list, "a", "1", "one");
    s = changed(l, &list, RETARGET_BACK, &told);
    check_stream(s, "d:t l:t/a>1");
    source_close(s);
    told_release(&told);
    retargets_release(&list);
}

static void names_of_one_link_stay_one(void **state)
{
    struct list_source *l = tree();
    struct retargets list = {0};
    struct error err = {0};
    const struct entry *e;
    struct told told;
    struct source *s;

    (void)state;
    list_link(l, "t/a", "changed since");
    list_link(l, "t/b", "one"); /* as a run that was cut short leaves it */
    list_link(l, "t/d/c", "1");
    add(&list, "a", "1", "one");
    add(&list, "b", "1", "one");
    add(&list, "d/c", "1", "one");
    for (size_t i = 0; i < 3; i++)
        retargets_set_group(&list, i, 1);
    s = changed(l, &list, RETARGET_FORTH, &told);
    e = stream_until(s, "t/b");
    assert_true(e->shared && !entry_is_further_name(e));
    e = stream_until(s, "t/d/c");
    check_text(e->first_name, "t/b");
    check_done(source_load(s, &e, &err));
    check_text(e->first_name, "t/b");
    check_text(e->target, "one");
    source_close(s);
    told_release(&told);
    retargets_release(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_come_behind_their_folders),
        cmocka_unit_test(what_is_done_or_has_changed_is_left_out),
        cmocka_unit_test(backwards_from_and_to_change_places),
        cmocka_unit_test(names_of_one_link_stay_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
