/*
 * File flags: ours are set and cleared, others stay.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include "os/os.h"
#include "support/check.h"
#include "support/folder.h"

static uint32_t flags_of(const struct os_object *o)
{
    struct error err = {0};
    uint32_t flags;

    check_done(os_get_flags(o, &flags, &err));
    return flags;
}

/* Whether the file system keeps the flag that root is not needed for. */
static bool has_flags(const struct os_object *o)
{
    struct error err = {0};

    if (!os_set_flags(o, OS_FLAG_NODUMP, &err))
        return flags_of(o) == OS_FLAG_NODUMP;
    assert_true(os_error_is_unsupported(&err));
    error_release(&err);
    return false;
}

static void flags_are_set_and_cleared(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    struct os_object file = folder_object(f->handle, "file");
    struct os_object dir = folder_object(f->handle, "dir");

    folder_write(f->handle, "file", 0600, "");
    check_done(os_make_dir(f->handle, "dir", 0700, &err));
    if (!has_flags(&file))
        check_skip("no file flags on this file system");
    check_done(os_set_flags(&dir, OS_FLAG_NODUMP | OS_FLAG_NOATIME, &err));
    assert_int_equal(flags_of(&dir), OS_FLAG_NODUMP | OS_FLAG_NOATIME);
    check_done(os_set_flags(&dir, OS_FLAG_NOATIME, &err));
    assert_int_equal(flags_of(&dir), OS_FLAG_NOATIME);
    check_done(os_set_flags(&file, 0, &err));
    assert_int_equal(flags_of(&file), 0);
}

static void an_immutable_file_can_be_freed(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    struct os_object o = folder_object(f->handle, "file");

    folder_write(f->handle, "file", 0600, "");
    if (!os_is_privileged() || !has_flags(&o))
        check_skip("needs root and file flags");
    if (os_set_flags(&o, OS_FLAG_IMMUTABLE | OS_FLAG_APPEND, &err)) {
        error_release(&err);
        check_skip("no immutable files on this file system");
    }
    assert_int_equal(flags_of(&o), OS_FLAG_IMMUTABLE | OS_FLAG_APPEND);
    assert_int_equal(os_remove(f->handle, "file", &err), -1);
    assert_true(os_error_is_permission(&err));
    error_release(&err);
    check_done(os_set_flags(&o, 0, &err));
    check_done(os_remove(f->handle, "file", &err));
}

static void flags_that_we_do_not_know_stay(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    struct os_object o = folder_object(f->handle, "file");
    int before = 0, after = 0;

    folder_write(f->handle, "file", 0600, "");
    if (!has_flags(&o))
        check_skip("no file flags on this file system");
    check_done(os_open_file(f->handle, "file", &o.handle, &err));
    assert_int_equal(ioctl((int)o.handle, FS_IOC_GETFLAGS, &before), 0);
    check_done(os_set_flags(&o, 0, &err));
    assert_int_equal(ioctl((int)o.handle, FS_IOC_GETFLAGS, &after), 0);
    assert_int_equal(before & ~FS_NODUMP_FL, after);
    os_close(o.handle);
}

static void links_and_devices_are_refused(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    struct os_object o = folder_object(f->handle, "link");
    uint32_t flags;

    check_done(os_make_symlink(f->handle, "link", bytes_of("/"), &err));
    check_code(os_get_flags(&o, &flags, &err), ELOOP);
    check_code(os_set_flags(&o, 0, &err), ELOOP);
    check_done(os_make_node(f->handle, "fifo", &(struct os_node){OS_FIFO, 0600, 0, 0}, &err));
    o.name = "fifo";
    check_kind(os_get_flags(&o, &flags, &err), ERROR_REFUSED);
}

static void a_file_system_without_flags_has_none(void **state)
{
    struct error err = {0};
    struct os_object o = {OS_NO_HANDLE, OS_NO_HANDLE, "status"};
    uint32_t flags = 1;

    (void)state;
    if (os_open_root("/proc/self", &o.folder, &err)) {
        error_release(&err);
        check_skip("needs /proc");
    }
    check_done(os_get_flags(&o, &flags, &err));
    assert_int_equal(flags, 0);
    check_done(os_set_flags(&o, 0, &err));
    check_kind(os_set_flags(&o, OS_FLAG_NODUMP, &err), ERROR_UNSUPPORTED);
    os_close(o.folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(flags_are_set_and_cleared, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(an_immutable_file_can_be_freed, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(flags_that_we_do_not_know_stay, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(links_and_devices_are_refused, folder_setup,
                                        folder_teardown),
        cmocka_unit_test(a_file_system_without_flags_has_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
