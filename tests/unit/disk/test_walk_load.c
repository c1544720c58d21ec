/*
 * What is read of an entry when it is asked for: attributes, flags, content.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/check.h"
#include "support/stream.h"
#include "support/walked.h"

static const struct entry *load(struct source *s)
{
    struct error err = {0};
    const struct entry *e;

    check_done(source_load(s, &e, &err));
    return e;
}

static void set_attribute(const struct folder *f, const char *path, const char *name,
                          const char *value)
{
    struct error err = {0};
    struct os_object o = folder_object(f->handle, path);

    check_done(os_set_xattr(&o, name, bytes_of(value), &err));
}

static void attributes_of_files_and_folders_are_read(void **state)
{
    struct folder *f = *state;

    walked_dir(f, "dir");
    walked_file(f, "file");
    walked_file(f, "plain");
    set_attribute(f, "dir", "user.color", "red");
    set_attribute(f, "file", "user.b", "2");
    set_attribute(f, "file", "user.a", "");
    struct source *s = walked(f);
    stream_until(s, "t/dir");
    const struct entry *e = load(s);
    assert_int_equal(e->problem_scope, PROBLEM_NONE);
    assert_int_equal(e->meta.xattrs.count, 1);
    check_text(pairs_name(&e->meta.xattrs, 0), "user.color");
    check_text(pairs_value(&e->meta.xattrs, 0), "red");
    stream_until(s, "t/file");
    e = load(s);
    const uint32_t all = METADATA_XATTRS | METADATA_ACL | METADATA_FLAGS;
    assert_int_equal(e->meta.known & all, all);
    assert_int_equal(e->meta.xattrs.count, 2);
    check_text(pairs_name(&e->meta.xattrs, 0), "user.a");
    check_text(pairs_name(&e->meta.xattrs, 1), "user.b");
    /* Asked twice, the answer is the same. */
    assert_int_equal(load(s)->meta.xattrs.count, 2);
    stream_until(s, "t/plain");
    e = load(s);
    assert_int_equal(e->meta.known & all, all);
    assert_int_equal(e->meta.xattrs.count, 0);
    source_close(s);
}

static void attributes_of_other_kinds_are_read_by_name(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    struct os_object link = folder_object(f->handle, "link");

    walked_file(f, "file");
    walked_link(f, "file", "link");
    check_done(os_make_node(f->handle, "pipe", &(struct os_node){OS_FIFO, 0600, 0, 0}, &err));
    if (os_set_xattr(&link, "trusted.note", bytes_of("of the link"), &err)) {
        error_release(&err);
        check_skip("needs the right to set attributes of links");
    }
    set_attribute(f, "pipe", "trusted.note", "of the pipe");
    struct source *s = walked(f);
    stream_until(s, "t/link");
    const struct entry *e = load(s);
    assert_int_equal(e->meta.xattrs.count, 1);
    check_text(pairs_value(&e->meta.xattrs, 0), "of the link");
    assert_true(e->meta.known & METADATA_XATTRS);
    assert_false(e->meta.known & METADATA_FLAGS);
    stream_until(s, "t/pipe");
    e = load(s);
    assert_int_equal(e->meta.xattrs.count, 1);
    check_text(pairs_value(&e->meta.xattrs, 0), "of the pipe");
    source_close(s);
}

static void flags_are_read(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    struct os_object o = folder_object(f->handle, "file");

    walked_file(f, "file");
    if (os_set_flags(&o, OS_FLAG_NODUMP, &err)) {
        error_release(&err);
        check_skip("needs a file system with flags");
    }
    struct source *s = walked(f);
    stream_until(s, "t/file");
    assert_int_equal(load(s)->meta.flags & FILE_FLAG_NODUMP, FILE_FLAG_NODUMP);
    source_close(s);
}

static void a_loaded_folder_is_entered_all_the_same(void **state)
{
    struct folder *f = *state;

    walked_dir(f, "dir");
    walked_file(f, "dir/file");
    struct source *s = walked(f);
    stream_until(s, "t/dir");
    load(s);
    check_stream(s, "f:t/dir/file");
    source_close(s);
}

static void check_content(struct source *s, const char *wanted)
{
    struct error err = {0};
    struct data *d;
    char bytes[20];
    size_t got;

    check_done(source_open_data(s, &d, &err));
    check_done(data_read(d, 0, (struct data_span){bytes, sizeof bytes}, &got, &err));
    check_text(bytes_make(bytes, got), wanted);
    assert_int_equal(check_done(data_changed(d, &err)), 0);
    data_close(d);
}

static void contents_are_opened_before_and_after_loading(void **state)
{
    struct folder *f = *state;

    folder_write(f->handle, "a", 0600, "first");
    folder_write(f->handle, "b", 0600, "second");
    struct source *s = walked(f);
    stream_until(s, "t/a");
    check_content(s, "first");
    load(s);
    check_content(s, "first");
    check_content(s, "first");
    stream_until(s, "t/b");
    load(s);
    check_content(s, "second");
    assert_int_equal(load(s)->problem_scope, PROBLEM_NONE);
    source_close(s);
}

static void contents_outlive_their_entry(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    struct data *d;
    char byte;
    size_t got;

    folder_write(f->handle, "a", 0600, "x");
    struct source *s = walked(f);
    stream_until(s, "t/a");
    load(s);
    check_done(source_open_data(s, &d, &err));
    check_stream(s, "");
    source_close(s);
    check_done(data_read(d, 0, (struct data_span){&byte, 1}, &got, &err));
    assert_int_equal(byte, 'x');
    data_close(d);
}

static void only_files_have_contents(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    struct data *d;

    walked_dir(f, "dir");
    walked_link(f, "dir", "link");
    struct source *s = walked(f);
    stream_until(s, "t/dir");
    check_kind(source_open_data(s, &d, &err), ERROR_USAGE);
    stream_until(s, "t/link");
    check_kind(source_open_data(s, &d, &err), ERROR_USAGE);
    source_close(s);
}

/* A file that another took the place of gives neither attributes nor content to the first one's
 * entry. */
static void a_replaced_file_is_told(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    struct data *d;

    walked_file(f, "a");
    folder_write(f->handle, "new", 0600, "other");
    set_attribute(f, "new", "user.color", "red");
    struct source *s = walked(f);
    stream_until(s, "t/a");
    assert_int_equal(linkat((int)f->handle, "a", (int)f->handle, "kept", 0), 0);
    check_done(os_rename(f->handle, "new", f->handle, "a", &err));
    const struct entry *e = load(s);
    assert_int_equal(e->problem_scope, PROBLEM_METADATA);
    assert_int_equal(e->problem->kind, ERROR_CHANGED);
    assert_string_equal(e->problem->path, "t/a");
    assert_int_equal(e->meta.xattrs.count, 0);
    assert_false(e->meta.known & METADATA_XATTRS);
    assert_true(e->meta.known & METADATA_MODE);
    check_kind(source_open_data(s, &d, &err), ERROR_CHANGED);
    source_close(s);
}

/* Streams to a file behind one that was read, loads it when another has taken its place, and
 * returns the entry. */
static const struct entry *load_replaced(struct source *s, const struct folder *f)
{
    struct error err = {0};

    stream_until(s, "t/a");
    load(s);
    stream_until(s, "t/b");
    assert_int_equal(linkat((int)f->handle, "b", (int)f->handle, "kept", 0), 0);
    check_done(os_rename(f->handle, "new", f->handle, "b", &err));
    return load(s);
}

/* Such a file is opened before it is looked at: it is what it was, whatever stands at its name by
 * then. */
static void a_file_that_was_opened_first_is_loaded(void **state)
{
    struct folder *f = *state;

    walked_file(f, "a");
    walked_file(f, "b");
    set_attribute(f, "b", "user.color", "red");
    walked_file(f, "new");
    struct source *s = walked(f);
    const struct entry *e = load_replaced(s, f);
    assert_int_equal(e->problem_scope, PROBLEM_NONE);
    assert_int_equal(e->meta.xattrs.count, 1);
    source_close(s);
}

static void no_file_is_opened_that_may_be_left_alone(void **state)
{
    struct folder *f = *state;

    walked_file(f, "a");
    walked_file(f, "b");
    walked_file(f, "new");
    struct source *s = walked_with(f, (struct walk_options){.looks_first = true});
    const struct entry *e = load_replaced(s, f);
    assert_int_equal(e->problem_scope, PROBLEM_METADATA);
    assert_int_equal(e->problem->kind, ERROR_CHANGED);
    source_close(s);
}

static void a_link_in_a_files_place_is_not_followed(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    struct data *d;

    walked_file(f, "a");
    walked_file(f, "z");
    struct source *s = walked(f);
    stream_until(s, "t/a");
    assert_int_equal(unlinkat((int)f->handle, "a", 0), 0);
    walked_link(f, "z", "a");
    assert_int_equal(load(s)->problem_scope, PROBLEM_METADATA);
    assert_int_equal(source_open_data(s, &d, &err), -1);
    assert_true(os_error_is_link(&err));
    error_release(&err);
    source_close(s);
}

static bool metadata_without_the_right_to_read(void *argument)
{
    struct source *s = walked(argument);
    struct error err = {0};
    const struct entry *e;
    struct data *d;

    stream_until(s, "t/a");
    load(s);
    e = stream_until(s, "t/secret");
    bool right = !source_load(s, &e, &err) && e->problem_scope == PROBLEM_NONE &&
                 (e->meta.known & METADATA_XATTRS) && !(e->meta.known & METADATA_FLAGS) &&
                 source_open_data(s, &d, &err) == -1 && os_error_is_permission(&err);

    error_release(&err);
    source_close(s);
    return right;
}

static void an_unreadable_file_has_its_attributes(void **state)
{
    struct folder *f = *state;

    folder_write(f->handle, "a", 0644, "a");
    folder_write(f->handle, "secret", 0, "x");
    assert_int_equal(fchmodat((int)f->handle, ".", 0755, 0), 0);
    assert_true(folder_as_nobody(metadata_without_the_right_to_read, f));
}

/* An attribute takes a block of its own on some file systems, and the block count then hides a hole
 * of one block. */
static void a_hole_beside_a_large_attribute_is_found(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    struct data *d;
    char value[2000] = {0};
    struct os_object o = folder_object(f->handle, "file");
    int fd = openat((int)f->handle, "file", O_CREAT | O_WRONLY, 0600);

    assert_int_equal(pwrite(fd, value, 1, 4096), 1);
    close(fd);
    check_done(os_set_xattr(&o, "user.large", bytes_make(value, sizeof value), &err));
    struct source *s = walked(f);
    stream_until(s, "t/file");
    load(s);
    check_done(source_open_data(s, &d, &err));
    assert_int_equal(d->extent_count, 1);
    if (!d->extents[0].offset) {
        data_close(d);
        source_close(s);
        check_skip("needs a file system with blocks of at most 4 KiB");
    }
    assert_int_equal(d->extents[0].offset, 4096);
    data_close(d);
    source_close(s);
}

#define folder_test(f) cmocka_unit_test_setup_teardown(f, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        folder_test(attributes_of_files_and_folders_are_read),
        folder_test(attributes_of_other_kinds_are_read_by_name),
        folder_test(flags_are_read),
        folder_test(a_loaded_folder_is_entered_all_the_same),
        folder_test(contents_are_opened_before_and_after_loading),
        folder_test(contents_outlive_their_entry),
        folder_test(only_files_have_contents),
        folder_test(a_replaced_file_is_told),
        folder_test(a_file_that_was_opened_first_is_loaded),
        folder_test(no_file_is_opened_that_may_be_left_alone),
        folder_test(a_link_in_a_files_place_is_not_followed),
        folder_test(an_unreadable_file_has_its_attributes),
        folder_test(a_hole_beside_a_large_attribute_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
