/*
 * The walk's stream: order, what an entry says, what happens when the tree cannot be read or
 * changes.
 */
#define _GNU_SOURCE
#include "disk/walk.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/check.h"
#include "support/stream.h"
#include "support/walked.h"

static void check_walk(const struct folder *f, const char *wanted)
{
    struct source *s = walked(f);

    check_stream(s, wanted);
    source_close(s);
}

/* ---- Order and entries ---- */

static void an_empty_folder_is_one_entry(void **state)
{
    check_walk(*state, "d:t");
}

static void order_is_canonical(void **state)
{
    struct folder *f = *state;

    walked_file(f, "b");
    walked_dir(f, "a");
    walked_file(f, "a.b");
    walked_dir(f, "a/z");
    walked_file(f, "a/z/1");
    walked_file(f, "a/b");
    walked_file(f, "\xff");
    walked_file(f, "B");
    check_walk(f, "d:t f:t/B d:t/a f:t/a/b d:t/a/z f:t/a/z/1 f:t/a.b f:t/b f:t/\xff");
}

static void every_kind_is_told(void **state)
{
    struct folder *f = *state;
    struct error err = {0};

    walked_dir(f, "dir");
    walked_file(f, "file");
    walked_link(f, "dir", "link");
    walked_link(f, "link/nowhere\n", "odd");
    check_done(os_make_node(f->handle, "pipe", &(struct os_node){OS_FIFO, 0600, 0, 0}, &err));
    check_done(os_make_node(f->handle, "sock", &(struct os_node){OS_SOCKET, 0600, 0, 0}, &err));
    check_walk(f, "d:t d:t/dir f:t/file l:t/link>dir l:t/odd>link/nowhere\n p:t/pipe s:t/sock");
}

static void devices_tell_their_numbers(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    const struct entry *e;
    struct os_node node = {OS_CHAR_DEVICE, 0600, 1, 3};

    if (os_make_node(f->handle, "null", &node, &err)) {
        error_release(&err);
        check_skip("needs the right to make devices");
    }
    struct source *s = walked(f);
    e = stream_until(s, "t/null");
    assert_int_equal(e->kind, ENTRY_CHAR_DEVICE);
    assert_int_equal(e->device_major, 1);
    assert_int_equal(e->device_minor, 3);
    source_close(s);
}

static void an_entry_says_what_the_system_says(void **state)
{
    struct folder *f = *state;
    struct stat status;
    const struct timespec times[2] = {{-2, 750000000}, {-86400, 1}};

    walked_dir(f, "a");
    folder_write(f->handle, "file", 0600, "hello");
    assert_int_equal(fchmodat((int)f->handle, "file", 04711, 0), 0);
    assert_int_equal(linkat((int)f->handle, "file", (int)f->handle, "a/other", 0), 0);
    assert_int_equal(utimensat((int)f->handle, "file", times, 0), 0);
    assert_int_equal(fstatat((int)f->handle, "file", &status, 0), 0);
    struct source *s = walked_with(f, (struct walk_options){.owner_names = true});
    const struct entry *e = stream_until(s, "t/a/other");
    const struct metadata *m = &e->meta;
    assert_int_equal(e->depth, 2);
    check_text(entry_name(e), "other");
    assert_int_equal(e->size, 5);
    assert_int_equal(e->identity.volume, status.st_dev);
    assert_int_equal(e->identity.file[0], status.st_ino);
    assert_int_equal(e->link_count, 2);
    assert_true(e->shared);
    assert_int_equal(m->mode, 04711);
    assert_int_equal(m->owner, status.st_uid);
    assert_int_equal(m->group, status.st_gid);
    assert_int_equal(m->mtime.seconds, -86400);
    assert_int_equal(m->mtime.nanoseconds, 1);
    assert_int_equal(m->atime.seconds, -2);
    assert_int_equal(m->atime.nanoseconds, 750000000);
    assert_int_equal(m->ctime.nanoseconds, status.st_ctim.tv_nsec);
    assert_int_equal(m->known & (METADATA_XATTRS | METADATA_ACL | METADATA_FLAGS), 0);
    if (os_is_privileged())
        assert_string_equal(m->owner_name, "root");
    source_close(s);
}

static void a_skipped_folder_is_not_entered(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    const struct entry *e;

    walked_dir(f, "a");
    walked_file(f, "a/x");
    walked_file(f, "b");
    struct source *s = walked(f);
    e = stream_until(s, "t/a");
    check_done(source_load(s, &e, &err));
    source_skip(s);
    check_stream(s, "f:t/b");
    source_close(s);
}

static void what_is_left_out_is_not_there(void **state)
{
    struct folder *f = *state;
    struct stat file, dir;

    walked_dir(f, "a");
    walked_file(f, "b");
    walked_file(f, "c");
    assert_int_equal(linkat((int)f->handle, "b", (int)f->handle, "a/b", 0), 0);
    assert_int_equal(fstatat((int)f->handle, "b", &file, 0), 0);
    assert_int_equal(fstatat((int)f->handle, "a", &dir, 0), 0);
    struct identity list[] = {{dir.st_dev, {dir.st_ino, 0}}, {file.st_dev, {file.st_ino, 0}}};
    struct source *s =
        walked_with(f, (struct walk_options){.leave_out = list, .leave_out_count = 2});
    check_stream(s, "d:t d:t/a f:t/c");
    source_close(s);
}

/* ---- Trouble ---- */

static bool walk_yields(void *argument)
{
    const struct folder *f = argument;
    struct source *s = walked(f);
    char *text = stream_text(s);
    bool right = !strcmp(text, "d:t d:t/a !:t/a d:t/b f:t/b/file d:t/c !:t/c f:t/d");

    free(text);
    source_close(s);
    return right;
}

static void an_unreadable_folder_hides_nothing_else(void **state)
{
    struct folder *f = *state;

    walked_dir(f, "a");
    walked_dir(f, "b");
    walked_file(f, "b/file");
    walked_dir(f, "c");
    walked_file(f, "d");
    assert_int_equal(fchmodat((int)f->handle, "a", 0, 0), 0);
    assert_int_equal(fchmodat((int)f->handle, "c", 0311, 0), 0);
    assert_int_equal(fchmodat((int)f->handle, ".", 0755, 0), 0);
    assert_true(folder_as_nobody(walk_yields, f));
    if (!os_is_privileged()) {
        assert_int_equal(fchmodat((int)f->handle, "a", 0700, 0), 0);
        assert_int_equal(fchmodat((int)f->handle, "c", 0700, 0), 0);
    }
}

static void a_name_that_vanished_is_an_entry_with_a_problem(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    const struct entry *e;

    walked_file(f, "a");
    walked_file(f, "b");
    walked_file(f, "c");
    struct source *s = walked(f);
    stream_until(s, "t/a");
    assert_int_equal(unlinkat((int)f->handle, "b", 0), 0);
    assert_int_equal(check_done(source_next(s, &e, &err)), 1);
    assert_int_equal(e->problem_scope, PROBLEM_ENTRY);
    assert_true(os_error_is_missing(e->problem));
    assert_string_equal(e->problem->path, "t/b");
    check_done(source_load(s, &e, &err));
    check_text(e->path, "t/b");
    check_stream(s, "f:t/c");
    source_close(s);
}

static void a_folder_replaced_by_another_is_not_entered(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    const struct entry *e;

    walked_dir(f, "a");
    walked_dir(f, "z");
    walked_file(f, "z/secret");
    struct source *s = walked(f);
    stream_until(s, "t/a");
    assert_int_equal(renameat((int)f->handle, "a", (int)f->handle, "old"), 0);
    assert_int_equal(renameat((int)f->handle, "z", (int)f->handle, "a"), 0);
    assert_int_equal(check_done(source_next(s, &e, &err)), 1);
    assert_int_equal(e->problem_scope, PROBLEM_CONTENT);
    assert_int_equal(e->problem->kind, ERROR_CHANGED);
    check_text(e->path, "t/a");
    check_stream(s, "?:t/z");
    source_close(s);
}

static void a_folder_replaced_by_a_link_is_not_followed(void **state)
{
    struct folder *f = *state;

    walked_dir(f, "a");
    walked_dir(f, "z");
    walked_file(f, "z/secret");
    struct source *s = walked(f);
    stream_until(s, "t/a");
    assert_int_equal(unlinkat((int)f->handle, "a", AT_REMOVEDIR), 0);
    walked_link(f, "z", "a");
    check_stream(s, "!:t/a d:t/z f:t/z/secret");
    source_close(s);
}

/* ---- Depth ---- */

/* Makes `depth` folders "d" in one another, each with a file "e". */
static void make_deep(const struct folder *f, int depth)
{
    int folder = dup((int)f->handle);

    for (int i = 0; i < depth; i++) {
        int file = openat(folder, "e", O_CREAT | O_WRONLY, 0600);
        close(file);
        assert_int_equal(mkdirat(folder, "d", 0700), 0);
        int inner = openat(folder, "d", O_RDONLY | O_DIRECTORY);
        assert_true(inner >= 0);
        close(folder);
        folder = inner;
    }
    close(folder);
}

/* Removes them from the innermost up, with one descriptor. */
static void remove_deep(const struct folder *f, const char *first)
{
    int folder = openat((int)f->handle, first, O_RDONLY | O_DIRECTORY);
    int depth = 0;

    for (int inner; (inner = openat(folder, "d", O_RDONLY | O_DIRECTORY)) >= 0; depth++) {
        close(folder);
        folder = inner;
    }
    for (; depth >= 0; depth--) {
        int outer = openat(folder, "..", O_RDONLY | O_DIRECTORY);
        unlinkat(folder, "e", 0);
        close(folder);
        unlinkat(outer, depth ? "d" : first, AT_REMOVEDIR);
        folder = outer;
    }
    close(folder);
}

static void deep_trees_need_few_descriptors(void **state)
{
    enum { DEPTH = 10000 };
    struct folder *f = *state;
    struct error err = {0};
    struct rlimit before, few = {64, 64};
    const struct entry *e;
    size_t entries = 0, deepest = 0;

    make_deep(f, DEPTH);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    few.rlim_max = before.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    struct source *s = walked(f);
    while (check_done(source_next(s, &e, &err)) == 1) {
        assert_int_equal(e->problem_scope, PROBLEM_NONE);
        check_done(source_load(s, &e, &err));
        deepest = e->depth > deepest ? e->depth : deepest;
        entries++;
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(entries, 2 * DEPTH + 1);
    assert_int_equal(deepest, DEPTH);
    source_close(s);
    remove_deep(f, "d");
}

static void names_in_a_tree_that_was_moved_away_are_told(void **state)
{
    enum { DEPTH = 120 };
    struct folder *f = *state;
    struct error err = {0};
    const struct entry *e = NULL;
    size_t lost = 0;

    make_deep(f, DEPTH);
    walked_file(f, "last");
    struct source *s = walked(f);
    do
        assert_int_equal(check_done(source_next(s, &e, &err)), 1);
    while (e->depth < DEPTH);
    /* Between an open folder far down and the closed ones above it. */
    assert_int_equal(renameat((int)f->handle, "d/d/d/d/d/d", (int)f->handle, "moved"), 0);
    while (check_done(source_next(s, &e, &err)) == 1 && !bytes_equal(e->path, bytes_of("t/last"))) {
        if (e->problem_scope != PROBLEM_CONTENT)
            continue;
        assert_int_equal(e->problem->kind, ERROR_CHANGED);
        lost++;
    }
    /* "e" is the last name of each folder; it was lost in those that could not be reached. */
    assert_int_equal(lost, 5);
    check_text(e->path, "t/last");
    check_stream(s, "");
    source_close(s);
    remove_deep(f, "moved");
}

/* ---- File systems ---- */

static void other_file_systems_are_not_entered(void **state)
{
    struct disk_root root = {.name = "t", .place = "/"};
    struct disk_layout layout = {NULL, &root, 1};
    struct error err = {0};
    const struct entry *e;
    struct source *s = NULL;
    uint64_t device = 0;
    size_t mounts = 0;

    (void)state;
    check_done(walk_open(&layout, &(struct walk_options){.one_file_system = true}, &s, &err));
    while (check_done(source_next(s, &e, &err)) == 1) {
        assert_true(e->depth < 2);
        if (!e->depth)
            device = e->identity.volume;
        else if (e->identity.volume == device)
            source_skip(s);
        else
            mounts += e->kind == ENTRY_DIRECTORY;
    }
    source_close(s);
    if (!mounts)
        check_skip("needs a file system that is mounted below the root folder");
}

#define folder_test(f) cmocka_unit_test_setup_teardown(f, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        folder_test(an_empty_folder_is_one_entry),
        folder_test(order_is_canonical),
        folder_test(every_kind_is_told),
        folder_test(devices_tell_their_numbers),
        folder_test(an_entry_says_what_the_system_says),
        folder_test(a_skipped_folder_is_not_entered),
        folder_test(what_is_left_out_is_not_there),
        folder_test(an_unreadable_folder_hides_nothing_else),
        folder_test(a_name_that_vanished_is_an_entry_with_a_problem),
        folder_test(a_folder_replaced_by_another_is_not_entered),
        folder_test(a_folder_replaced_by_a_link_is_not_followed),
        folder_test(deep_trees_need_few_descriptors),
        folder_test(names_in_a_tree_that_was_moved_away_are_told),
        cmocka_unit_test(other_file_systems_are_not_entered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
