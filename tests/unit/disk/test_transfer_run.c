/* A run as a whole: deleting, stopping, the marker, the lock, what a dead run left. */
#define _XOPEN_SOURCE 700
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/check.h"
#include "support/transferred.h"

static struct list_source *two_files(void)
{
    struct list_source *l = list_source_new();

    list_add(l, ENTRY_DIRECTORY, "t");
    list_add(l, ENTRY_DIRECTORY, "t/d");
    list_file(l, "t/d/f", "content");
    list_file(l, "t/g", "more");
    return l;
}

static void put_extras(const struct folder *f)
{
    char full[400];

    put_file(f, "outside/kept", "kept");
    put_file(f, "t/d/extra", "x");
    put_file(f, "t/extra/deep/down/f", "x");
    put_dir(f, "t/extra/empty");
    (void)snprintf(full, sizeof full, "%s/t/extra/link", f->path);
    assert_int_equal(symlink("../../outside", full), 0);
}

static void deletes_what_is_extra(void **state)
{
    const struct folder *f = *state;
    struct transferred t;

    put_extras(f);
    transferred_init(&t, f);
    transferred_exactly(&t, two_files());
    assert_int_equal(t.transfer.counts.extras, 2);
    check_standing(f, "t/d/extra", "x");

    t.transfer.options.mode = TRANSFER_DRY_RUN;
    t.transfer.options.delete_extra = true;
    transferred_exactly(&t, two_files());
    assert_true(transferred_told(&t, "delete t/extra\n"));
    check_standing(f, "t/d/extra", "x");

    t.transfer.options.mode = TRANSFER_APPLY;
    transferred_exactly(&t, two_files());
    assert_int_equal(t.transfer.counts.deleted, 2);
    assert_true(transferred_told(&t, "delete t/d/extra\n"));
    assert_int_equal(standing(f, "t/extra").kind, OS_KIND_UNKNOWN);
    assert_int_equal(standing(f, "t/d/extra").kind, OS_KIND_UNKNOWN);
    check_standing(f, "outside/kept", "kept");
    assert_int_equal(standing(f, "t").mtime.seconds, 100);
    assert_int_equal(standing(f, "t/d").mtime.seconds, 100);
    check_no_leftovers(f);
    transferred_release(&t);
}

static void deletes_inside_chosen_paths_alone(void **state)
{
    const struct folder *f = *state;
    struct transferred t;
    struct bytes within = bytes_of("t/d");

    put_extras(f);
    transferred_init(&t, f);
    t.transfer.options.delete_extra = true;
    t.transfer.options.delete_within = &within;
    t.transfer.options.delete_within_count = 1;
    transferred_exactly(&t, two_files());
    assert_int_equal(standing(f, "t/d/extra").kind, OS_KIND_UNKNOWN);
    check_standing(f, "t/extra/deep/down/f", "x");
    transferred_release(&t);
}

static void deletes_nothing_after_an_error(void **state)
{
    const struct folder *f = *state;
    struct transferred t;
    struct error err = {0};
    struct list_source *l = two_files();

    put_extras(f);
    list_problem(l, PROBLEM_ENTRY, "t/zz");
    transferred_init(&t, f);
    t.transfer.options.delete_extra = true;
    check_done(transferred_run(&t, l, &err));
    assert_int_equal(t.errors, 2);
    assert_int_equal(t.transfer.counts.extras, 2);
    check_standing(f, "t/d/extra", "x");
    check_standing(f, "t/d/f", "content");
    check_no_leftovers(f);
    transferred_release(&t);
}

static void deletes_deep_trees(void **state)
{
    enum { DEPTH = 600 };
    const struct folder *f = *state;
    struct transferred t;
    struct error err = {0};
    os_handle at, next;

    put_dir(f, "t");
    check_done(os_open_dir(f->handle, "t", &at, &err));
    for (int i = 0; i < DEPTH; i++) {
        folder_write(at, "file", 0644, "x");
        check_done(os_make_dir(at, "ddddddddddddddd", 0755, &err));
        check_done(os_open_dir(at, "ddddddddddddddd", &next, &err));
        os_close(at);
        at = next;
    }
    os_close(at);
    transferred_init(&t, f);
    t.transfer.options.delete_extra = true;
    transferred_exactly(&t, two_files());
    assert_int_equal(standing(f, "t/ddddddddddddddd").kind, OS_KIND_UNKNOWN);
    transferred_release(&t);
}

static void stops_and_goes_on_later(void **state)
{
    const struct folder *f = *state;
    struct transferred t;
    struct error err = {0};

    transferred_init(&t, f);
    for (int after = 0; after < 60; after++) {
        t.stop_after = after;
        if (transferred_run(&t, two_files(), &err) == 0)
            break;
        assert_int_equal(err.kind, ERROR_INTERRUPTED);
        error_release(&err);
    }
    assert_int_equal(standing(f, ".holdfast-run").kind, OS_KIND_UNKNOWN);
    t.stop_after = -1;
    transferred_exactly(&t, two_files());
    check_standing(f, "t/d/f", "content");
    check_standing(f, "t/g", "more");
    check_no_leftovers(f);
    transferred_release(&t);
}

static void a_stopped_run_leaves_its_marker(void **state)
{
    const struct folder *f = *state;
    struct transferred t;
    struct error err = {0};

    transferred_init(&t, f);
    t.stop_after = 3;
    check_kind(transferred_run(&t, two_files(), &err), ERROR_INTERRUPTED);
    assert_int_equal(standing(f, ".holdfast-run").kind, OS_FILE);
    transferred_release(&t);
}

static const char dead_marker[] = "holdfast run\nversion 1\nid 0123456789abcdef\n";

static void sweeps_what_a_dead_run_left(void **state)
{
    const struct folder *f = *state;
    struct transferred t;

    put_file(f, ".holdfast-run", dead_marker);
    put_file(f, "t/.holdfast-0123456789abcdef-0", "half");
    put_file(f, "t/old/.holdfast-0123456789abcdef-1f", "half");
    put_dir(f, "t/.holdfast-0123456789abcdef-2");
    put_file(f, "t/.holdfast-0123456789abcdef-3/file", "set aside");
    put_file(f, "t/.holdfast-fedcba9876543210-0", "the user's");
    transferred_init(&t, f);
    transferred_exactly(&t, two_files());
    assert_int_equal(standing(f, "t/.holdfast-0123456789abcdef-0").kind, OS_KIND_UNKNOWN);
    assert_int_equal(standing(f, "t/old/.holdfast-0123456789abcdef-1f").kind, OS_KIND_UNKNOWN);
    assert_int_equal(standing(f, "t/.holdfast-0123456789abcdef-2").kind, OS_KIND_UNKNOWN);
    check_standing(f, "t/.holdfast-0123456789abcdef-3/file", "set aside");
    check_standing(f, "t/.holdfast-fedcba9876543210-0", "the user's");
    assert_int_equal(standing(f, ".holdfast-run").kind, OS_KIND_UNKNOWN);
    transferred_release(&t);
}

/* Sizes and times can be there without the data after a power cut: what a dead run wrote is read.
 */
static void distrusts_what_a_dead_run_wrote(void **state)
{
    const struct folder *f = *state;
    struct transferred t;
    char full[400];
    struct timespec times[2] = {{.tv_sec = 100, .tv_nsec = 5}, {.tv_sec = 100, .tv_nsec = 5}};

    put_file(f, ".holdfast-run", dead_marker);
    put_file(f, "t/d/f", "-------");
    (void)snprintf(full, sizeof full, "%s/t/d/f", f->path);
    assert_int_equal(utimensat(0, full, times, 0), 0);
    struct list_source *l = two_files();
    list_at(l, "t/d/f")->meta.ctime = (struct timestamp){100, 5};
    list_at(l, "t/d/f")->meta.known |= METADATA_CTIME;
    transferred_init(&t, f);
    transferred_exactly(&t, l);
    check_standing(f, "t/d/f", "content");
    transferred_release(&t);
}

static void a_users_file_of_that_name_stays(void **state)
{
    const struct folder *f = *state;
    struct transferred t;

    put_file(f, ".holdfast-run", "my own notes");
    transferred_init(&t, f);
    transferred_exactly(&t, two_files());
    check_standing(f, ".holdfast-run", "my own notes");
    assert_true(transferred_told(&t, "remark "));
    transferred_release(&t);
}

/* No valid archive is altered: not even one that holds such a name. */
static void an_entry_of_that_name_is_made(void **state)
{
    const struct folder *f = *state;
    struct transferred t;
    struct list_source *l;
    char place[300];

    (void)snprintf(place, sizeof place, "%s/t", f->path);
    transferred_init(&t, f);
    t.root.place = place;
    t.transfer.layout.base = NULL;
    for (int i = 0; i < 2; i++) {
        l = two_files();
        list_file(l, "t/.holdfast-run", i ? "other notes" : "notes");
        list_file(l, "t/!before", i ? "b" : "aaa");
        transferred_exactly(&t, l);
        check_standing(f, "t/.holdfast-run", i ? "other notes" : "notes");
        check_standing(f, "t/!before", i ? "b" : "aaa");
    }
    transferred_exactly(&t, two_files());
    check_standing(f, "t/.holdfast-run", "other notes");
    transferred_release(&t);
}

static void one_writer_at_a_time(void **state)
{
    const struct folder *f = *state;
    struct transferred t;
    struct error err = {0};
    os_handle other;

    check_done(os_open_root(f->path, &other, &err));
    assert_int_equal(os_lock(other, &err), 0);
    transferred_init(&t, f);
    check_kind(transferred_run(&t, two_files(), &err), ERROR_REFUSED);
    assert_int_equal(standing(f, "t").kind, OS_KIND_UNKNOWN);
    os_close(other);
    transferred_exactly(&t, two_files());
    transferred_release(&t);
}

/* The marker comes and goes; a folder in which nothing else changed keeps its time. */
static void the_marker_leaves_no_trace(void **state)
{
    const struct folder *f = *state;
    struct transferred t;
    char place[300];

    transferred_init(&t, f);
    transferred_exactly(&t, two_files());
    put_file(f, "t/d/f", "changed");
    (void)snprintf(place, sizeof place, "%s/t", f->path);
    t.root.place = place;
    t.transfer.layout.base = NULL;
    transferred_exactly(&t, two_files());
    assert_true(transferred_told(&t, "replace t/d/f\n"));
    assert_int_equal(standing(f, "t").mtime.seconds, 100);
    check_no_leftovers(f);
    transferred_release(&t);
}

static void flags_come_last_and_stand_in_the_way(void **state)
{
    const struct folder *f = *state;
    struct transferred t;
    struct error err = {0};
    struct os_object o = folder_object(f->handle, "probe");

    folder_write(f->handle, "probe", 0644, "");
    if (os_set_flags(&o, OS_FLAG_IMMUTABLE, &err)) {
        error_release(&err);
        check_skip("no immutable flag here");
    }
    struct list_source *l = two_files();
    list_at(l, "t/d")->meta.flags = FILE_FLAG_IMMUTABLE;
    list_at(l, "t/g")->meta.flags = FILE_FLAG_IMMUTABLE;
    list_name(l, "t/h", "t/g");
    list_as_archive(l);
    transferred_init(&t, f);
    transferred_exactly(&t, l);
    assert_true(same_file(f, "t/g", "t/h"));

    l = list_source_new();
    list_add(l, ENTRY_DIRECTORY, "t");
    list_file(l, "t/g", "another content");
    check_done(transferred_run(&t, l, &err));
    assert_int_equal(t.errors, 1);
    assert_true(transferred_told(&t, "--clear-flags"));
    check_standing(f, "t/g", "more");
    check_no_leftovers(f);

    t.transfer.options.clear_flags = true;
    t.transfer.options.delete_extra = true;
    l = list_source_new();
    list_add(l, ENTRY_DIRECTORY, "t");
    list_file(l, "t/g", "another content");
    transferred_exactly(&t, l);
    check_standing(f, "t/g", "another content");
    assert_int_equal(standing(f, "t/d").kind, OS_KIND_UNKNOWN);
    transferred_release(&t);
}

#define folder_test(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        folder_test(deletes_what_is_extra),
        folder_test(deletes_inside_chosen_paths_alone),
        folder_test(deletes_nothing_after_an_error),
        folder_test(deletes_deep_trees),
        folder_test(stops_and_goes_on_later),
        folder_test(a_stopped_run_leaves_its_marker),
        folder_test(sweeps_what_a_dead_run_left),
        folder_test(distrusts_what_a_dead_run_wrote),
        folder_test(a_users_file_of_that_name_stays),
        folder_test(an_entry_of_that_name_is_made),
        folder_test(one_writer_at_a_time),
        folder_test(the_marker_leaves_no_trace),
        folder_test(flags_come_last_and_stand_in_the_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
