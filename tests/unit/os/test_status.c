/*
 * Status: each kind of file, never what a link leads to.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "os/os.h"
#include "support/check.h"
#include "support/folder.h"

static void a_file_has_all_its_numbers(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    struct os_stat s;
    struct stat other;

    folder_write(f->handle, "file", 0640, "hello");
    check_done(os_link(f->handle, "file", f->handle, "second", &err));
    check_done(os_stat_at(f->handle, "file", &s, &err));
    assert_int_equal(fstatat((int)f->handle, "file", &other, 0), 0);
    assert_int_equal(s.kind, OS_FILE);
    assert_int_equal(s.mode, 0640);
    assert_true(s.owner == other.st_uid && s.group == other.st_gid);
    assert_true(s.owner == os_user());
    assert_int_equal(s.size, 5);
    assert_int_equal(s.allocated, other.st_blocks * 512);
    assert_true(s.device == other.st_dev);
    assert_true(s.file[0] == other.st_ino && s.file[1] == 0);
    assert_int_equal(s.link_count, 2);
    assert_true(s.mtime.seconds == other.st_mtim.tv_sec);
    assert_true(s.mtime.nanoseconds == other.st_mtim.tv_nsec);
    assert_true(s.atime.nanoseconds == other.st_atim.tv_nsec);
    assert_true(s.ctime.nanoseconds == other.st_ctim.tv_nsec);
}

static void a_handle_tells_the_same(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    struct os_stat by_path, by_handle;

    check_done(os_stat_handle(f->handle, &by_handle, &err));
    check_done(os_stat_path(f->path, true, &by_path, &err));
    assert_int_equal(by_handle.kind, OS_DIRECTORY);
    assert_memory_equal(&by_handle.file, &by_path.file, sizeof by_path.file);
    assert_true(by_handle.device == by_path.device);
}

static void links_are_not_followed(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    struct os_stat s;
    char path[300];

    folder_write(f->handle, "file", 0600, "hello");
    check_done(os_make_symlink(f->handle, "link", bytes_of("file"), &err));
    check_done(os_stat_at(f->handle, "link", &s, &err));
    assert_int_equal(s.kind, OS_SYMLINK);
    assert_int_equal(s.size, 4);
    (void)snprintf(path, sizeof path, "%s/link", f->path);
    check_done(os_stat_path(path, false, &s, &err));
    assert_int_equal(s.kind, OS_SYMLINK);
    check_done(os_stat_path(path, true, &s, &err));
    assert_int_equal(s.kind, OS_FILE);
}

static void special_files_have_their_kind(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    struct os_stat s;

    check_done(os_make_node(f->handle, "fifo", &(struct os_node){OS_FIFO, 0600, 0, 0}, &err));
    check_done(os_stat_at(f->handle, "fifo", &s, &err));
    assert_int_equal(s.kind, OS_FIFO);
    check_done(os_make_node(f->handle, "socket", &(struct os_node){OS_SOCKET, 0600, 0, 0}, &err));
    check_done(os_stat_at(f->handle, "socket", &s, &err));
    assert_int_equal(s.kind, OS_SOCKET);
    check_done(os_stat_path("/dev/null", true, &s, &err));
    assert_int_equal(s.kind, OS_CHAR_DEVICE);
    assert_int_equal(s.device_major, 1);
    assert_int_equal(s.device_minor, 3);
}

static void what_is_not_one_name_is_refused(void **state)
{
    static const char *const names[] = {"", ".", "..", "a/b", "/", "/etc", "a/"};
    struct folder *f = *state;
    struct error err = {0};
    struct os_stat s;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        check_kind(os_stat_at(f->handle, names[i], &s, &err), ERROR_REFUSED);
    check_code(os_stat_at(f->handle, "missing", &s, &err), ENOENT);
    check_code(os_stat_path("", true, &s, &err), ENOENT);
    check_code(os_stat_handle(OS_NO_HANDLE, &s, &err), EBADF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_has_all_its_numbers, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(a_handle_tells_the_same, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(links_are_not_followed, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(special_files_have_their_kind, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(what_is_not_one_name_is_refused, folder_setup,
                                        folder_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
