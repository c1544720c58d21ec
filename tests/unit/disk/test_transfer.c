/* A transfer into nothing, and once more: kinds, metadata, roots; what is equal stays. */
#define _XOPEN_SOURCE 700
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "os/os.h"
#include "support/check.h"
#include "support/transferred.h"

/* Everything that needs no privilege. */
static struct list_source *all_kinds(void)
{
    struct list_source *l = list_source_new();

    list_add(l, ENTRY_DIRECTORY, "t")->meta.mode = 0750;
    list_add(l, ENTRY_DIRECTORY, "t/d")->meta.mode = 0500;
    list_file(l, "t/d/f", "content")->meta.mode = 0400;
    list_file(l, "t/d/empty", "");
    list_link(l, "t/link", "d/f");
    list_link(l, "t/nowhere", "/no/such");
    list_add(l, ENTRY_FIFO, "t/fifo")->meta.mode = 0620;
    list_add(l, ENTRY_SOCKET, "t/socket");
    list_name(l, "t/z", "t/d/f");
    list_as_archive(l);
    return l;
}

static void makes_all_kinds(void **state)
{
    const struct folder *f = *state;
    struct transferred t;

    transferred_init(&t, f);
    transferred_exactly(&t, all_kinds());
    check_standing(f, "t/d/f", "content");
    check_standing(f, "t/d/empty", "");
    assert_int_equal(standing(f, "t").mode, 0750);
    assert_int_equal(standing(f, "t/d").mode, 0500);
    assert_int_equal(standing(f, "t/d/f").mode, 0400);
    assert_int_equal(standing(f, "t/link").kind, OS_SYMLINK);
    assert_int_equal(standing(f, "t/fifo").kind, OS_FIFO);
    assert_int_equal(standing(f, "t/fifo").mode, 0620);
    assert_int_equal(standing(f, "t/socket").kind, OS_SOCKET);
    assert_true(same_file(f, "t/z", "t/d/f"));
    assert_int_equal(t.transfer.counts.created, 8);
    assert_int_equal(t.transfer.counts.linked, 1);
    check_no_leftovers(f);
    transferred_release(&t);
}

static void sets_times_on_all(void **state)
{
    static const char *const paths[] = {"t", "t/d", "t/d/f", "t/link", "t/fifo", "t/socket"};
    const struct folder *f = *state;
    struct transferred t;

    transferred_init(&t, f);
    transferred_exactly(&t, all_kinds());
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct timestamp time = standing(f, paths[i]).mtime;
        if (time.seconds != 100 || time.nanoseconds != 5)
            fail_msg("%s has another time", paths[i]);
    }
    transferred_release(&t);
}

static void second_run_changes_nothing(void **state)
{
    const struct folder *f = *state;
    struct transferred t;

    transferred_init(&t, f);
    transferred_exactly(&t, all_kinds());
    uint64_t file = standing(f, "t/d/f").file[0];
    transferred_exactly(&t, all_kinds());
    assert_int_equal(t.told.size, 0);
    assert_int_equal(t.transfer.counts.unchanged, 9);
    assert_int_equal(standing(f, "t/d/f").file[0], file);
    check_no_leftovers(f);
    transferred_release(&t);
}

static void dry_run_tells_and_does_nothing(void **state)
{
    const struct folder *f = *state;
    struct transferred t;
    struct error err = {0};

    transferred_init(&t, f);
    t.transfer.options.mode = TRANSFER_DRY_RUN;
    check_done(transferred_run(&t, all_kinds(), &err));
    assert_true(transferred_told(&t, "create t/d/f\n"));
    assert_true(transferred_told(&t, "link t/z\n"));
    assert_int_equal(standing(f, "t").kind, OS_KIND_UNKNOWN);
    check_no_leftovers(f);
    transferred_release(&t);
}

static void makes_its_base(void **state)
{
    const struct folder *f = *state;
    struct transferred t;
    char base[300];

    (void)snprintf(base, sizeof base, "%s/new/deep//base/", f->path);
    transferred_init(&t, f);
    t.transfer.layout.base = base;
    transferred_exactly(&t, all_kinds());
    check_standing(f, "new/deep/base/t/d/f", "content");
    assert_int_equal(standing(f, "new/deep").mode, os_default_folder_mode());
    check_no_leftovers(f);
    transferred_release(&t);
}

static void puts_a_root_at_its_place(void **state)
{
    const struct folder *f = *state;
    struct transferred t;
    char place[300];

    (void)snprintf(place, sizeof place, "%s/here/it/is", f->path);
    transferred_init(&t, f);
    t.root.place = place;
    t.transfer.layout.base = NULL;
    transferred_exactly(&t, all_kinds());
    check_standing(f, "here/it/is/d/f", "content");
    assert_int_equal(standing(f, "here/it/is").mode, 0750);
    assert_int_equal(standing(f, "here/it/is").mtime.seconds, 100);
    transferred_exactly(&t, all_kinds());
    assert_int_equal(t.told.size, 0);
    check_no_leftovers(f);
    transferred_release(&t);
}

static struct list_source *single_file(const char *content)
{
    struct list_source *l = list_source_new();

    list_file(l, "t", content);
    return l;
}

static void puts_a_single_file_at_its_place(void **state)
{
    const struct folder *f = *state;
    struct transferred t;
    char place[300];

    (void)snprintf(place, sizeof place, "%s/in/file", f->path);
    transferred_init(&t, f);
    t.root.place = place;
    t.transfer.layout.base = NULL;
    transferred_exactly(&t, single_file("one"));
    check_standing(f, "in/file", "one");
    transferred_exactly(&t, single_file("two and more"));
    check_standing(f, "in/file", "two and more");
    check_no_leftovers(f);
    transferred_release(&t);
}

static void replaces_without_writing_into_the_old_file(void **state)
{
    const struct folder *f = *state;
    struct transferred t;
    char from[300], to[300];

    put_file(f, "t/f", "previous content");
    (void)snprintf(from, sizeof from, "%s/t/f", f->path);
    (void)snprintf(to, sizeof to, "%s/outside", f->path);
    assert_int_equal(link(from, to), 0);
    struct list_source *l = list_source_new();
    list_add(l, ENTRY_DIRECTORY, "t");
    list_file(l, "t/f", "next");
    transferred_init(&t, f);
    transferred_exactly(&t, l);
    check_standing(f, "t/f", "next");
    check_standing(f, "outside", "previous content");
    assert_true(transferred_told(&t, "replace t/f\n"));
    check_no_leftovers(f);
    transferred_release(&t);
}

/* Same size, so that only reading can tell. */
static void replaces_where_contents_differ(void **state)
{
    const struct folder *f = *state;
    struct transferred t;

    put_file(f, "t/f", "same size A");
    put_file(f, "t/g", "same size B");
    struct list_source *l = list_source_new();
    list_add(l, ENTRY_DIRECTORY, "t");
    list_file(l, "t/f", "same size B");
    list_file(l, "t/g", "same size B");
    uint64_t kept = standing(f, "t/g").file[0];
    transferred_init(&t, f);
    transferred_exactly(&t, l);
    check_standing(f, "t/f", "same size B");
    assert_true(transferred_told(&t, "replace t/f\n"));
    assert_true(transferred_told(&t, "metadata t/g\n"));
    assert_int_equal(standing(f, "t/g").file[0], kept);
    assert_int_equal(standing(f, "t/g").mtime.seconds, 100);
    transferred_release(&t);
}

/* A file with a name outside is not touched: it is replaced by a copy of itself. */
static void metadata_of_many_names_goes_to_a_copy(void **state)
{
    const struct folder *f = *state;
    struct transferred t;
    char from[300], to[300];

    put_file(f, "t/f", "same");
    (void)snprintf(from, sizeof from, "%s/t/f", f->path);
    (void)snprintf(to, sizeof to, "%s/outside", f->path);
    assert_int_equal(link(from, to), 0);
    struct list_source *l = list_source_new();
    list_add(l, ENTRY_DIRECTORY, "t");
    list_file(l, "t/f", "same")->meta.mode = 0600;
    transferred_init(&t, f);
    transferred_exactly(&t, l);
    assert_false(same_file(f, "t/f", "outside"));
    check_standing(f, "t/f", "same");
    assert_int_equal(standing(f, "t/f").mode, 0600);
    assert_int_not_equal(standing(f, "outside").mode, 0600);
    transferred_release(&t);
}

static void keeps_what_is_there(void **state)
{
    const struct folder *f = *state;
    struct transferred t;

    put_file(f, "t/f", "mine");
    struct list_source *l = list_source_new();
    list_add(l, ENTRY_DIRECTORY, "t");
    list_file(l, "t/f", "theirs");
    list_file(l, "t/new", "theirs");
    transferred_init(&t, f);
    t.transfer.options.existing = EXISTING_KEEP;
    transferred_exactly(&t, l);
    check_standing(f, "t/f", "mine");
    check_standing(f, "t/new", "theirs");
    assert_true(transferred_told(&t, "keep t/f\n"));
    transferred_release(&t);
}

static void keeps_what_is_newer(void **state)
{
    const struct folder *f = *state;
    struct transferred t;

    put_file(f, "t/f", "newer");
    struct list_source *l = list_source_new();
    list_add(l, ENTRY_DIRECTORY, "t");
    list_file(l, "t/f", "older");
    transferred_init(&t, f);
    t.transfer.options.existing = EXISTING_NEWER;
    transferred_exactly(&t, l);
    check_standing(f, "t/f", "newer");
    transferred_release(&t);
}

static void a_problem_is_told_and_passed(void **state)
{
    const struct folder *f = *state;
    struct transferred t;
    struct error err = {0};

    struct list_source *l = list_source_new();
    list_add(l, ENTRY_DIRECTORY, "t");
    list_problem(l, PROBLEM_ENTRY, "t/bad");
    list_file(l, "t/good", "x");
    transferred_init(&t, f);
    check_done(transferred_run(&t, l, &err));
    assert_int_equal(t.errors, 1);
    check_standing(f, "t/good", "x");
    transferred_release(&t);
}

#define folder_test(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        folder_test(makes_all_kinds),
        folder_test(sets_times_on_all),
        folder_test(second_run_changes_nothing),
        folder_test(dry_run_tells_and_does_nothing),
        folder_test(makes_its_base),
        folder_test(puts_a_root_at_its_place),
        folder_test(puts_a_single_file_at_its_place),
        folder_test(replaces_without_writing_into_the_old_file),
        folder_test(replaces_where_contents_differ),
        folder_test(metadata_of_many_names_goes_to_a_copy),
        folder_test(keeps_what_is_there),
        folder_test(keeps_what_is_newer),
        folder_test(a_problem_is_told_and_passed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
