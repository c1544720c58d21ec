/* What a transfer must not do: unsafe names, ways through links, things that stand in the way. */
#define _XOPEN_SOURCE 700
#include <stdio.h>
#include <unistd.h>

#include "os/os.h"
#include "support/check.h"
#include "support/transferred.h"

static void make_link(const struct folder *f, const char *target, const char *path)
{
    char full[400];

    (void)snprintf(full, sizeof full, "%s/%s", f->path, path);
    assert_int_equal(symlink(target, full), 0);
}

/* An archive whose entries come in any order, names not known. */
static struct list_source *loose(void)
{
    struct list_source *l = list_source_new();

    list_facts(l)->ordered = false;
    list_facts(l)->names_known = false;
    list_facts(l)->sequential = true;
    return l;
}

static void refuses_unsafe_names(void **state)
{
    static const char *const names[] = {"../up", "t/../up", "/abs", "t//x", "t/./x", "", "t/.."};
    const struct folder *f = *state;
    struct transferred t;
    struct error err = {0};
    struct list_source *l = loose();
    const unsigned count = sizeof names / sizeof *names;

    list_add(l, ENTRY_DIRECTORY, "t");
    for (size_t i = 0; i < count; i++)
        list_file(l, names[i], "bad");
    list_file(l, "t/nul", "bad")->path = bytes_make("t/n\0l", 5);
    list_file(l, "t/good", "good");
    transferred_init(&t, f);
    check_done(transferred_run(&t, l, &err));
    assert_int_equal(t.errors, count + 1);
    assert_int_equal(t.transfer.counts.refused, count + 1);
    check_standing(f, "t/good", "good");
    assert_int_equal(standing(f, "up").kind, OS_KIND_UNKNOWN);
    assert_int_equal(standing(f, "t/x").kind, OS_KIND_UNKNOWN);
    assert_int_equal(standing(f, "t/n").kind, OS_KIND_UNKNOWN);
    transferred_release(&t);
}

static void never_writes_through_a_link_of_the_archive(void **state)
{
    const struct folder *f = *state;
    struct transferred t;
    struct error err = {0};

    put_dir(f, "outside");
    struct list_source *l = loose();
    list_add(l, ENTRY_DIRECTORY, "t");
    list_link(l, "t/link", "../outside");
    list_file(l, "t/link/f", "escaped");
    list_add(l, ENTRY_DIRECTORY, "t/link/d");
    list_file(l, "t/good", "good");
    transferred_init(&t, f);
    check_done(transferred_run(&t, l, &err));
    assert_int_equal(t.errors, 2);
    assert_int_equal(standing(f, "outside/f").kind, OS_KIND_UNKNOWN);
    assert_int_equal(standing(f, "outside/d").kind, OS_KIND_UNKNOWN);
    assert_int_equal(standing(f, "t/link").kind, OS_SYMLINK);
    check_standing(f, "t/good", "good");
    transferred_release(&t);
}

static struct list_source *folder_with_file(void)
{
    struct list_source *l = list_source_new();

    list_add(l, ENTRY_DIRECTORY, "t");
    list_add(l, ENTRY_DIRECTORY, "t/d");
    list_file(l, "t/d/f", "content");
    list_file(l, "t/good", "good");
    return l;
}

static void never_enters_a_link_that_stood_there(void **state)
{
    const struct folder *f = *state;
    struct transferred t;
    struct error err = {0};

    put_dir(f, "outside");
    put_dir(f, "t");
    make_link(f, "../outside", "t/d");
    transferred_init(&t, f);
    check_done(transferred_run(&t, folder_with_file(), &err));
    assert_int_equal(t.errors, 1);
    assert_int_equal(standing(f, "t/d").kind, OS_SYMLINK);
    assert_int_equal(standing(f, "outside/f").kind, OS_KIND_UNKNOWN);
    check_standing(f, "t/good", "good");

    t.transfer.options.delete_extra = true;
    transferred_exactly(&t, folder_with_file());
    assert_int_equal(standing(f, "t/d").kind, OS_DIRECTORY);
    check_standing(f, "t/d/f", "content");
    assert_int_equal(standing(f, "outside/f").kind, OS_KIND_UNKNOWN);
    check_no_leftovers(f);
    transferred_release(&t);
}

static void a_file_gives_way_to_a_folder(void **state)
{
    const struct folder *f = *state;
    struct transferred t;

    put_file(f, "t/d", "a file");
    transferred_init(&t, f);
    transferred_exactly(&t, folder_with_file());
    check_standing(f, "t/d/f", "content");
    check_no_leftovers(f);
    transferred_release(&t);
}

static struct list_source *file_alone(void)
{
    struct list_source *l = list_source_new();

    list_add(l, ENTRY_DIRECTORY, "t");
    list_file(l, "t/d", "now a file");
    list_file(l, "t/good", "good");
    return l;
}

static void a_folder_with_content_gives_way_only_if_asked(void **state)
{
    const struct folder *f = *state;
    struct transferred t;
    struct error err = {0};

    put_file(f, "t/d/deep/kept", "kept");
    transferred_init(&t, f);
    check_done(transferred_run(&t, file_alone(), &err));
    assert_int_equal(t.errors, 1);
    check_standing(f, "t/d/deep/kept", "kept");
    check_standing(f, "t/good", "good");
    check_no_leftovers(f);

    t.transfer.options.delete_extra = true;
    transferred_exactly(&t, file_alone());
    check_standing(f, "t/d", "now a file");
    check_no_leftovers(f);
    transferred_release(&t);
}

static void an_empty_folder_gives_way(void **state)
{
    const struct folder *f = *state;
    struct transferred t;

    put_dir(f, "t/d");
    transferred_init(&t, f);
    transferred_exactly(&t, file_alone());
    check_standing(f, "t/d", "now a file");
    check_no_leftovers(f);
    transferred_release(&t);
}

static void loose_archives_get_their_folders(void **state)
{
    const struct folder *f = *state;
    struct transferred t;
    struct list_source *l = loose();

    list_file(l, "t/a/b/f", "first");
    list_add(l, ENTRY_DIRECTORY, "t/a")->meta.mode = 0500;
    list_file(l, "t/c", "c");
    list_file(l, "t/a/b/g", "g");
    list_file(l, "t/a/b/f", "last member wins");
    list_add(l, ENTRY_DIRECTORY, "t/a/b")->meta.mode = 0711;
    transferred_init(&t, f);
    transferred_exactly(&t, l);
    check_standing(f, "t/a/b/f", "last member wins");
    assert_int_equal(standing(f, "t/a").mode, 0500);
    assert_int_equal(standing(f, "t/a").mtime.seconds, 100);
    assert_int_equal(standing(f, "t/a/b").mode, 0711);
    assert_int_equal(standing(f, "t/a/b").mtime.seconds, 100);
    assert_int_equal(standing(f, "t").mode, os_default_folder_mode());
    assert_true(transferred_told(&t, "remark t/a/b: "));
    check_no_leftovers(f);
    transferred_release(&t);
}

static void unordered_folders_keep_what_the_last_entry_said(void **state)
{
    const struct folder *f = *state;
    struct transferred t;
    struct list_source *l = loose();

    list_add(l, ENTRY_DIRECTORY, "t")->meta.mode = 0700;
    list_add(l, ENTRY_DIRECTORY, "t")->meta.mode = 0711;
    transferred_init(&t, f);
    transferred_exactly(&t, l);
    assert_int_equal(standing(f, "t").mode, 0711);
    transferred_release(&t);
}

#define folder_test(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        folder_test(refuses_unsafe_names),
        folder_test(never_writes_through_a_link_of_the_archive),
        folder_test(never_enters_a_link_that_stood_there),
        folder_test(a_file_gives_way_to_a_folder),
        folder_test(a_folder_with_content_gives_way_only_if_asked),
        folder_test(an_empty_folder_gives_way),
        folder_test(loose_archives_get_their_folders),
        folder_test(unordered_folders_keep_what_the_last_entry_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
