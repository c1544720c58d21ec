/* Names of one file: made, joined, split, kept, in any order. */
#define _XOPEN_SOURCE 700
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/check.h"
#include "support/transferred.h"
#include "tree/namegroup.h"

static void make_name(const struct folder *f, const char *of, const char *path)
{
    char from[400], to[400];

    (void)snprintf(from, sizeof from, "%s/%s", f->path, of);
    (void)snprintf(to, sizeof to, "%s/%s", f->path, path);
    assert_int_equal(link(from, to), 0);
}

/* a and c are A, b is B; all of one size and time. */
static struct list_source *pairs_of(const char *a, const char *b, const char *c)
{
    struct list_source *l = list_source_new();

    list_add(l, ENTRY_DIRECTORY, "t");
    list_file(l, a, "AAAA");
    list_file(l, b, "BBBB");
    list_name(l, c, a);
    list_as_archive(l);
    return l;
}

/* {a,c}=A {b}=B becomes {a,b}=A {c}=B: no data may be lost on the way, and the names must end where
 * they belong. */
static void regroups_names(void **state)
{
    const struct folder *f = *state;
    struct transferred t;

    transferred_init(&t, f);
    transferred_exactly(&t, pairs_of("t/a", "t/b", "t/c"));
    transferred_exactly(&t, pairs_of("t/a", "t/c", "t/b"));
    check_standing(f, "t/a", "AAAA");
    check_standing(f, "t/b", "AAAA");
    check_standing(f, "t/c", "BBBB");
    assert_true(same_file(f, "t/a", "t/b"));
    assert_false(same_file(f, "t/a", "t/c"));
    transferred_exactly(&t, pairs_of("t/b", "t/a", "t/c"));
    check_standing(f, "t/a", "BBBB");
    check_standing(f, "t/b", "AAAA");
    assert_true(same_file(f, "t/b", "t/c"));
    check_no_leftovers(f);
    transferred_release(&t);
}

static void joins_and_splits(void **state)
{
    const struct folder *f = *state;
    struct transferred t;

    put_file(f, "t/a", "AAAA");
    make_name(f, "t/a", "t/b");
    put_file(f, "t/c", "AAAA");
    transferred_init(&t, f);
    transferred_exactly(&t, pairs_of("t/a", "t/b", "t/c"));
    assert_false(same_file(f, "t/a", "t/b"));
    assert_true(same_file(f, "t/a", "t/c"));
    check_standing(f, "t/b", "BBBB");
    check_no_leftovers(f);
    transferred_release(&t);
}

static void links_of_all_kinds(void **state)
{
    const struct folder *f = *state;
    struct transferred t;
    struct list_source *l = list_source_new();

    list_add(l, ENTRY_DIRECTORY, "t");
    list_link(l, "t/l", "x");
    list_add(l, ENTRY_FIFO, "t/p");
    list_name(l, "t/l2", "t/l");
    list_name(l, "t/p2", "t/p");
    list_as_archive(l);
    transferred_init(&t, f);
    transferred_exactly(&t, l);
    assert_true(same_file(f, "t/l", "t/l2"));
    assert_true(same_file(f, "t/p", "t/p2"));
    transferred_release(&t);
}

/* The first name is kept: the others are a group of their own, with the archive's data. */
static void a_kept_file_is_never_linked_to(void **state)
{
    const struct folder *f = *state;
    struct transferred t;
    struct list_source *l = list_source_new();

    put_file(f, "t/a", "mine");
    list_add(l, ENTRY_DIRECTORY, "t");
    list_file(l, "t/a", "theirs");
    list_name(l, "t/b", "t/a");
    list_name(l, "t/c", "t/a");
    list_as_archive(l);
    list_facts(l)->sequential = true;
    transferred_init(&t, f);
    t.transfer.options.existing = EXISTING_KEEP;
    transferred_exactly(&t, l);
    check_standing(f, "t/a", "mine");
    check_standing(f, "t/b", "theirs");
    assert_true(same_file(f, "t/b", "t/c"));
    assert_int_equal(standing(f, "t/b").link_count, 2);
    check_no_leftovers(f);
    transferred_release(&t);
}

static struct list_source *loose(void)
{
    struct list_source *l = list_source_new();

    list_facts(l)->ordered = false;
    list_facts(l)->names_known = false;
    list_facts(l)->sequential = true;
    return l;
}

static void hard_link(struct list_source *l, const char *path, const char *first)
{
    list_file(l, path, "")->first_name = bytes_of(first);
}

static void resolves_links_that_come_first(void **state)
{
    const struct folder *f = *state;
    struct transferred t;
    struct error err = {0};
    struct list_source *l = loose();

    list_add(l, ENTRY_DIRECTORY, "t");
    hard_link(l, "t/c", "t/b");
    hard_link(l, "t/b", "t/a");
    hard_link(l, "t/d/e", "t/c");
    hard_link(l, "t/x", "t/y");
    hard_link(l, "t/y", "t/x");
    hard_link(l, "t/z", "t/none");
    list_file(l, "t/a", "data");
    list_forget_identities(l);
    transferred_init(&t, f);
    check_done(transferred_run(&t, l, &err));
    assert_int_equal(t.errors, 3);
    check_standing(f, "t/d/e", "data");
    assert_true(same_file(f, "t/a", "t/b"));
    assert_true(same_file(f, "t/a", "t/c"));
    assert_true(same_file(f, "t/a", "t/d/e"));
    check_no_leftovers(f);
    transferred_release(&t);
}

/* R4: what stood there before the run is no member of the archive. */
static void links_to_nothing_but_members(void **state)
{
    const struct folder *f = *state;
    struct transferred t;
    struct error err = {0};
    struct list_source *l = loose();

    put_file(f, "t/secret", "secret");
    put_file(f, "outside", "secret");
    list_add(l, ENTRY_DIRECTORY, "t");
    hard_link(l, "t/a", "t/secret");
    hard_link(l, "t/b", "../outside");
    hard_link(l, "t/c", "/etc/passwd");
    hard_link(l, "t/d", "outside");
    transferred_init(&t, f);
    check_done(transferred_run(&t, l, &err));
    assert_int_equal(t.errors, 4);
    assert_int_equal(standing(f, "t/a").kind, OS_KIND_UNKNOWN);
    assert_int_equal(standing(f, "t/b").kind, OS_KIND_UNKNOWN);
    assert_int_equal(standing(f, "t/d").kind, OS_KIND_UNKNOWN);
    transferred_release(&t);
}

static void a_link_to_itself_keeps_the_data(void **state)
{
    const struct folder *f = *state;
    struct transferred t;
    struct list_source *l = loose();

    list_add(l, ENTRY_DIRECTORY, "t");
    list_file(l, "t/a", "data");
    hard_link(l, "t/a", "t/a");
    list_forget_identities(l);
    transferred_init(&t, f);
    transferred_exactly(&t, l);
    check_standing(f, "t/a", "data");
    transferred_release(&t);
}

/* ext4 stops at 65,000 names: the next begins a new copy, which is told. */
static void spills_at_the_link_limit(void **state)
{
    enum { NAMES = 65003 };
    const struct folder *f = *state;
    struct transferred t;
    struct error err = {0};
    struct os_volume volume;
    struct list_source *l = list_source_new();
    char *names = malloc((size_t)NAMES * 16);

    check_done(os_volume_facts(f->handle, &volume, &err));
    assert_non_null(names);
    list_add(l, ENTRY_DIRECTORY, "t");
    list_file(l, "t/a", "data")->shared = true;
    for (size_t i = 0; i < NAMES; i++) {
        char *name = names + i * 16;
        (void)snprintf(name, 16, "t/n%06zu", i);
        list_file(l, name, "")->first_name = bytes_of("t/a");
    }
    list_forget_identities(l);
    list_facts(l)->sequential = true;
    transferred_init(&t, f);
    check_done(transferred_run(&t, l, &err));
    assert_int_equal(t.errors, 0);
    check_standing(f, "t/n065002", "data");
    if (!strcmp(volume.file_system, "ext4")) {
        assert_int_equal(t.losses, 1);
        assert_int_equal(standing(f, "t/a").link_count, 65000);
        assert_int_equal(standing(f, "t/n065002").link_count, 4);
        assert_int_equal(standing(f, "t/n065002").mtime.seconds, 100);
    }
    free(names);
    transferred_release(&t);
}

static void run_as_disk(struct transferred *t, struct list_source *l)
{
    struct namegroup_options options = {.count_is_hint = false};
    struct error err = {0};
    struct source *groups;

    check_done(namegroup_new(list_source(l), options, &groups, &err));
    check_done(transfer_run(&t->transfer, groups, &err));
    source_close(groups);
}

/* {b,c} becomes {a,c} and {b}, and a cannot be made: c must not stay a name of b's file. */
static void a_name_does_not_stay_in_another_group(void **state)
{
    const struct folder *f = *state;
    struct list_source *l = list_source_new();
    struct transferred t;

    transferred_init(&t, f);
    list_add(l, ENTRY_DIRECTORY, "t");
    list_file(l, "t/b", "BBBB");
    list_name(l, "t/b2", "t/b");
    list_name(l, "t/c", "t/b");
    run_as_disk(&t, l);
    put_file(f, "t/a/in the way", "");
    l = list_source_new();
    list_add(l, ENTRY_DIRECTORY, "t");
    list_file(l, "t/a", "AAAA");
    list_name(l, "t/c", "t/a");
    list_file(l, "t/b", "BBBB");
    list_name(l, "t/b2", "t/b");
    run_as_disk(&t, l);
    assert_int_equal(t.errors, 1);
    assert_true(same_file(f, "t/b", "t/b2"));
    check_standing(f, "t/b", "BBBB");
    check_standing(f, "t/c", "AAAA");
    transferred_release(&t);
}

#define folder_test(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        folder_test(regroups_names),
        folder_test(joins_and_splits),
        folder_test(links_of_all_kinds),
        folder_test(a_kept_file_is_never_linked_to),
        folder_test(resolves_links_that_come_first),
        folder_test(links_to_nothing_but_members),
        folder_test(a_link_to_itself_keeps_the_data),
        folder_test(spills_at_the_link_limit),
        folder_test(a_name_does_not_stay_in_another_group),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
