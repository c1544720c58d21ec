/* Files of older copies: what becomes a further name of theirs, and what must not. */
#define _XOPEN_SOURCE 700
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/check.h"
#include "support/transferred.h"
#include "tree/namegroup.h"

static struct error err;

/* Runs of the transfer into copies of one source, "old/t" and "new/t". */
struct copies {
    const struct folder *f;
    struct transferred t;
    char old[300], new_base[300], old_base[300];
    struct transfer_older older;
};

static void begin(struct copies *c, const struct folder *f)
{
    *c = (struct copies){.f = f};
    transferred_init(&c->t, f);
    (void)snprintf(c->old_base, sizeof c->old_base, "%s/old", f->path);
    (void)snprintf(c->old, sizeof c->old, "%s/old/t", f->path);
    (void)snprintf(c->new_base, sizeof c->new_base, "%s/new", f->path);
    c->older.place = c->old;
}

static void run(struct copies *c, const char *base, struct list_source *l)
{
    struct namegroup_options options = {.count_is_hint = false};
    struct source *groups;

    c->t.transfer.layout.base = base;
    check_done(namegroup_new(list_source(l), options, &groups, &err));
    buffer_clear(&c->t.told);
    check_done(transfer_run(&c->t.transfer, groups, &err));
    source_close(groups);
    assert_int_equal(c->t.errors + c->t.losses, 0);
}

static void make_old(struct copies *c, struct list_source *l)
{
    c->t.transfer.options.older_count = 0;
    run(c, c->old_base, l);
}

static void make_new(struct copies *c, struct list_source *l)
{
    c->t.transfer.options.older = &c->older;
    c->t.transfer.options.older_count = 1;
    run(c, c->new_base, l);
}

static struct list_source *list(void)
{
    struct list_source *l = list_source_new();

    list_add(l, ENTRY_DIRECTORY, "t");
    return l;
}

static struct list_source *files(const char *a, const char *b)
{
    struct list_source *l = list();

    list_file(l, "t/a", a);
    list_file(l, "t/b", b);
    return l;
}

static void what_is_the_same_is_shared(void **state)
{
    struct copies c;

    begin(&c, *state);
    make_old(&c, files("same", "old"));
    make_new(&c, files("same", "new"));
    assert_true(same_file(c.f, "old/t/a", "new/t/a"));
    assert_false(same_file(c.f, "old/t/b", "new/t/b"));
    check_standing(c.f, "old/t/b", "old");
    check_standing(c.f, "new/t/b", "new");
    assert_int_equal(c.t.transfer.counts.older, 1);
    assert_true(transferred_told(&c.t, "link-old t/a"));
    transferred_release(&c.t);
}

static void metadata_have_to_be_the_same(void **state)
{
    struct copies c;
    struct list_source *l = files("same", "same");

    begin(&c, *state);
    make_old(&c, files("same", "same"));
    list_at(l, "t/a")->meta.mode = 0604;
    list_at(l, "t/b")->meta.mtime.nanoseconds ^= 100;
    make_new(&c, l);
    assert_int_equal(c.t.transfer.counts.older, 0);
    assert_int_equal(standing(c.f, "new/t/a").mode, 0604);
    transferred_release(&c.t);
}

/* One file in the older copy, two in the source. */
static void two_files_do_not_become_one(void **state)
{
    struct copies c;
    struct list_source *l = list();

    begin(&c, *state);
    list_file(l, "t/a", "same");
    list_name(l, "t/b", "t/a");
    make_old(&c, l);
    assert_true(same_file(c.f, "old/t/a", "old/t/b"));
    make_new(&c, files("same", "same"));
    assert_true(same_file(c.f, "old/t/a", "new/t/a"));
    assert_false(same_file(c.f, "new/t/a", "new/t/b"));
    make_new(&c, files("same", "same"));
    assert_int_equal(c.t.transfer.counts.unchanged, 3);
    transferred_release(&c.t);
}

/* The same where one of the two stands there already, before or behind the one that is missing. */
static void nor_with_what_stands(void **state)
{
    static const char *const missing[] = {"new/t/a", "new/t/b"};

    for (size_t i = 0; i < 2; i++) {
        struct copies c;
        struct list_source *l = list();
        char from[600], to[600];

        begin(&c, *state);
        list_file(l, "t/a", "same");
        list_name(l, "t/b", "t/a");
        make_old(&c, l);
        put_dir(c.f, "new/t");
        (void)snprintf(from, sizeof from, "%s/old/t/a", c.f->path);
        (void)snprintf(to, sizeof to, "%s/new/t/%s", c.f->path, i ? "a" : "b");
        assert_int_equal(link(from, to), 0);
        assert_int_equal(standing(c.f, missing[i]).kind, OS_KIND_UNKNOWN);
        make_new(&c, files("same", "same"));
        assert_false(same_file(c.f, "new/t/a", "new/t/b"));
        check_standing(c.f, "new/t/a", "same");
        check_standing(c.f, "new/t/b", "same");
        check_no_leftovers(c.f);
        (void)snprintf(from, sizeof from, "rm -r '%s/new' '%s/old'", c.f->path, c.f->path);
        assert_int_equal(system(from), 0);
        transferred_release(&c.t);
    }
}

/* Two files in the older copy, one in the source. */
static void a_group_is_one_file(void **state)
{
    struct copies c;
    struct list_source *l = list();

    begin(&c, *state);
    make_old(&c, files("same", "same"));
    list_file(l, "t/a", "same");
    list_name(l, "t/b", "t/a");
    make_new(&c, l);
    assert_true(same_file(c.f, "old/t/a", "new/t/a"));
    assert_true(same_file(c.f, "new/t/a", "new/t/b"));
    assert_false(same_file(c.f, "old/t/b", "new/t/b"));
    transferred_release(&c.t);
}

/* The names that come before the one that is known are linked to the older file at the end. */
static void a_new_first_name_is_linked_late(void **state)
{
    struct copies c;
    struct list_source *l = list();

    begin(&c, *state);
    list_file(l, "t/z", "same");
    make_old(&c, l);
    l = list();
    list_add(l, ENTRY_DIRECTORY, "t/folder")->meta.mtime.seconds = 77;
    list_file(l, "t/folder/first", "same");
    list_name(l, "t/second", "t/folder/first");
    list_name(l, "t/z", "t/folder/first");
    list_name(l, "t/zz", "t/folder/first");
    make_new(&c, l);
    assert_true(same_file(c.f, "old/t/z", "new/t/z"));
    assert_true(same_file(c.f, "new/t/z", "new/t/zz"));
    assert_true(same_file(c.f, "new/t/z", "new/t/second"));
    assert_true(same_file(c.f, "new/t/z", "new/t/folder/first"));
    assert_int_equal(standing(c.f, "new/t/folder").mtime.seconds, 77);
    check_no_leftovers(c.f);
    transferred_release(&c.t);
}

static void a_dry_run_says_the_same(void **state)
{
    struct copies c;
    struct list_source *l = list();

    begin(&c, *state);
    list_file(l, "t/a", "same");
    list_name(l, "t/b", "t/a");
    make_old(&c, l);
    c.t.transfer.options.mode = TRANSFER_DRY_RUN;
    make_new(&c, files("same", "same"));
    assert_int_equal(c.t.transfer.counts.older, 1);
    assert_int_equal(standing(c.f, "new").kind, OS_KIND_UNKNOWN);
    transferred_release(&c.t);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_the_same_is_shared),  TEST(metadata_have_to_be_the_same),
        TEST(two_files_do_not_become_one), TEST(nor_with_what_stands),
        TEST(a_group_is_one_file),         TEST(a_new_first_name_is_linked_late),
        TEST(a_dry_run_says_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
