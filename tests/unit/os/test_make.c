/*
 * Making: exact modes, nothing replaced unasked, links linked and not followed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/os.h"
#include "support/check.h"
#include "support/folder.h"

static struct os_stat status(os_handle folder, const char *name)
{
    struct error err = {0};
    struct os_stat s;

    check_done(os_stat_at(folder, name, &s, &err));
    return s;
}

static void modes_are_exact(void **state)
{
    static const uint32_t modes[] = {0, 0600, 0777, 04755, 02711, 01666, 07777};
    struct folder *f = *state;
    struct error err = {0};
    os_handle h;

    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        struct os_node fifo = {OS_FIFO, modes[i], 0, 0};
        check_done(os_create_file(f->handle, "file", modes[i], &h, &err));
        os_close(h);
        assert_int_equal(status(f->handle, "file").mode, modes[i]);
        check_done(os_make_node(f->handle, "fifo", &fifo, &err));
        assert_int_equal(status(f->handle, "fifo").mode, modes[i]);
        check_done(os_make_dir(f->handle, "dir", modes[i], &err));
        assert_int_equal(status(f->handle, "dir").mode & 01777, modes[i] & 01777);
        check_done(os_remove(f->handle, "file", &err));
        check_done(os_remove(f->handle, "fifo", &err));
        check_done(os_remove_dir(f->handle, "dir", &err));
    }
}

static void nothing_is_replaced_by_making(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    struct os_node fifo = {OS_FIFO, 0600, 0, 0};
    os_handle h;

    check_done(os_make_symlink(f->handle, "name", bytes_of("target"), &err));
    check_code(os_create_file(f->handle, "name", 0600, &h, &err), EEXIST);
    check_code(os_make_dir(f->handle, "name", 0600, &err), EEXIST);
    check_code(os_make_symlink(f->handle, "name", bytes_of("x"), &err), EEXIST);
    check_code(os_make_node(f->handle, "name", &fifo, &err), EEXIST);
    check_code(os_link(f->handle, "name", f->handle, "name", &err), EEXIST);
    assert_int_equal(status(f->handle, "name").kind, OS_SYMLINK);
    check_code(os_stat_at(f->handle, "target", &(struct os_stat){0}, &err), ENOENT);
}

static void devices_are_made(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    struct os_node node = {OS_CHAR_DEVICE, 0640, 259, 70000};
    struct os_stat s;

    check_kind(os_make_node(f->handle, "x", &(struct os_node){OS_FILE, 0, 0, 0}, &err),
               ERROR_UNSUPPORTED);
    if (os_make_node(f->handle, "char", &node, &err)) {
        assert_true(os_error_is_permission(&err));
        check_skip("this user may not make devices");
    }
    s = status(f->handle, "char");
    assert_int_equal(s.kind, OS_CHAR_DEVICE);
    assert_int_equal(s.mode, 0640);
    assert_int_equal(s.device_major, 259);
    assert_int_equal(s.device_minor, 70000);
    node.kind = OS_BLOCK_DEVICE;
    check_done(os_make_node(f->handle, "block", &node, &err));
    assert_int_equal(status(f->handle, "block").kind, OS_BLOCK_DEVICE);
}

static void further_names_are_one_file(void **state)
{
    struct folder *f = *state;
    struct error err = {0};

    folder_write(f->handle, "file", 0600, "x");
    check_done(os_make_symlink(f->handle, "link", bytes_of("file"), &err));
    check_done(os_link(f->handle, "file", f->handle, "second", &err));
    assert_true(status(f->handle, "file").file[0] == status(f->handle, "second").file[0]);
    check_done(os_link(f->handle, "link", f->handle, "link2", &err));
    assert_int_equal(status(f->handle, "link2").kind, OS_SYMLINK);
    assert_int_equal(status(f->handle, "link2").link_count, 2);
    assert_int_equal(status(f->handle, "file").link_count, 2);
    check_code(os_link(f->handle, "missing", f->handle, "x", &err), ENOENT);
    check_kind(os_link(f->handle, "../x", f->handle, "x", &err), ERROR_REFUSED);
    check_kind(os_link(f->handle, "file", f->handle, "a/x", &err), ERROR_REFUSED);
}

static void a_file_can_be_made_without_a_name(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    os_handle h;

    if (os_create_unnamed(f->handle, 0640, &h, &err)) {
        assert_true(os_error_is_unsupported(&err));
        error_release(&err);
        check_skip("this file system has no nameless files");
    }
    check_done(os_write(h, "x", 1, &err));
    check_done(os_name_file(h, f->handle, "file", &err));
    check_code(os_name_file(h, f->handle, "file", &err), EEXIST);
    os_close(h);
    assert_int_equal(status(f->handle, "file").mode, 0640);
    assert_int_equal(status(f->handle, "file").size, 1);
}

static bool name_as_nobody(void *argument)
{
    struct folder *f = argument;
    os_handle h;

    return !os_create_unnamed(f->handle, 0600, &h, NULL) &&
           !os_name_file(h, f->handle, "theirs", NULL);
}

static void a_nameless_file_of_an_ordinary_user_gets_a_name(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    os_handle h;

    if (os_create_unnamed(f->handle, 0600, &h, &err)) {
        error_release(&err);
        check_skip("this file system has no nameless files");
    }
    os_close(h);
    assert_int_equal(fchmod((int)f->handle, 0777), 0);
    assert_true(folder_as_nobody(name_as_nobody, f));
    assert_int_equal(status(f->handle, "theirs").link_count, 1);
}

static void writes_go_where_they_are_told(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    os_handle h;
    char bytes[10];
    size_t got;

    check_done(os_create_file(f->handle, "file", 0600, &h, &err));
    check_done(os_write(h, "abc", 3, &err));
    check_done(os_write_at(h, 5, bytes_of("xy"), &err));
    check_done(os_write(h, "d", 1, &err));
    check_done(os_set_size(h, 8, &err));
    check_done(os_read_at(h, (struct os_range){0, 10}, bytes, &got, &err));
    assert_int_equal(got, 8);
    assert_memory_equal(bytes, "abcd\0xy\0", 8);
    check_code(os_set_size(h, UINT64_MAX, &err), EFBIG);
    check_done(os_sync_file(h, &err));
    check_done(os_close_checked(h, &err));
}

static void a_full_device_is_known(void **state)
{
    struct error err = {0};
    os_handle h = OS_NO_HANDLE;
    FILE *full = fopen("/dev/full", "w");

    (void)state;
    if (!full)
        check_skip("there is no /dev/full");
    h = fileno(full);
    assert_int_equal(os_write(h, "x", 1, &err), -1);
    assert_true(os_error_is_full(&err));
    (void)fclose(full);
}

static void renaming_replaces(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    os_handle dir;

    check_done(os_make_dir(f->handle, "dir", 0700, &err));
    check_done(os_open_dir(f->handle, "dir", &dir, &err));
    folder_write(f->handle, "a", 0600, "new");
    check_done(os_make_symlink(dir, "b", bytes_of("/nowhere"), &err));
    check_done(os_rename(f->handle, "a", dir, "b", &err));
    assert_int_equal(status(dir, "b").kind, OS_FILE);
    check_code(os_stat_at(f->handle, "a", &(struct os_stat){0}, &err), ENOENT);
    /* Two names of one file: nothing happens. */
    check_done(os_link(dir, "b", dir, "c", &err));
    check_done(os_rename(dir, "b", dir, "c", &err));
    assert_int_equal(status(dir, "b").link_count, 2);
    check_done(os_make_dir(f->handle, "other", 0700, &err));
    assert_int_equal(os_rename(f->handle, "other", f->handle, "dir", &err), -1);
    assert_true(os_error_is_not_empty(&err));
    error_release(&err);
    check_kind(os_rename(f->handle, "dir", f->handle, "..", &err), ERROR_REFUSED);
    os_close(dir);
}

static void removing_takes_the_link_itself(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    os_handle dir;

    check_done(os_make_dir(f->handle, "dir", 0700, &err));
    check_done(os_open_dir(f->handle, "dir", &dir, &err));
    folder_write(dir, "file", 0600, "x");
    check_done(os_make_symlink(f->handle, "link", bytes_of("dir"), &err));
    check_code(os_remove_dir(f->handle, "link", &err), ENOTDIR);
    check_done(os_remove(f->handle, "link", &err));
    assert_int_equal(status(dir, "file").kind, OS_FILE);
    assert_int_equal(os_remove_dir(f->handle, "dir", &err), -1);
    assert_true(os_error_is_not_empty(&err));
    error_release(&err);
    check_code(os_remove(f->handle, "dir", &err), EISDIR);
    check_kind(os_remove_dir(f->handle, ".", &err), ERROR_REFUSED);
    os_close(dir);
}

static void bad_targets_are_refused(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    char target[5000];

    memset(target, 'x', sizeof target);
    check_code(os_make_symlink(f->handle, "l", bytes_make(target, sizeof target), &err),
               ENAMETOOLONG);
    check_kind(os_make_symlink(f->handle, "l", bytes_make("a\0b", 3), &err), ERROR_UNSUPPORTED);
    check_code(os_make_symlink(f->handle, "l", bytes_make(NULL, 0), &err), ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(modes_are_exact, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(nothing_is_replaced_by_making, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(devices_are_made, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(further_names_are_one_file, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(a_file_can_be_made_without_a_name, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(a_nameless_file_of_an_ordinary_user_gets_a_name,
                                        folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(writes_go_where_they_are_told, folder_setup,
                                        folder_teardown),
        cmocka_unit_test(a_full_device_is_known),
        cmocka_unit_test_setup_teardown(renaming_replaces, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(removing_takes_the_link_itself, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(bad_targets_are_refused, folder_setup, folder_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
