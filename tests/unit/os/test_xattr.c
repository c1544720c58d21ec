/*
 * Extended attributes: odd names and values, on handles and on names, with and without /proc.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/os.h"
#include "support/check.h"
#include "support/folder.h"

/* Sets an attribute; false if the file system cannot hold it. */
static bool set(const struct os_object *o, const char *name, struct bytes value)
{
    struct error err = {0};

    if (!os_set_xattr(o, name, value, &err))
        return true;
    assert_true(os_error_is_unsupported(&err) || os_error_is_full(&err));
    error_release(&err);
    return false;
}

/* What the attribute of that name holds; missing ones fail the test. */
static void check_value(const struct os_object *o, const char *name, struct bytes wanted)
{
    struct pairs p = {0};
    struct error err = {0};
    ptrdiff_t at;

    check_done(os_list_xattrs(o, &p, &err));
    at = pairs_find(&p, bytes_of(name));
    assert_true(at >= 0);
    assert_true(bytes_equal(pairs_value(&p, (size_t)at), wanted));
    pairs_release(&p);
}

static void handles_and_names_agree(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    struct os_object by_name = folder_object(f->handle, "file");
    struct os_object by_handle = by_name;
    struct pairs p = {0}, q = {0};

    folder_write(f->handle, "file", 0600, "");
    if (!set(&by_name, "user.b", bytes_of("two")))
        check_skip("no user attributes on this file system");
    check_done(os_open_file(f->handle, "file", &by_handle.handle, &err));
    check_done(os_set_xattr(&by_handle, "user.a", bytes_make(NULL, 0), &err));
    check_done(os_list_xattrs(&by_name, &p, &err));
    check_done(os_list_xattrs(&by_handle, &q, &err));
    assert_true(pairs_equal(&p, &q));
    assert_true(pairs_find(&p, bytes_of("user.a")) < pairs_find(&p, bytes_of("user.b")));
    check_value(&by_name, "user.a", bytes_make(NULL, 0));
    check_done(os_remove_xattr(&by_name, "user.a", &err));
    check_done(os_remove_xattr(&by_handle, "user.b", &err));
    check_code(os_remove_xattr(&by_handle, "user.b", &err), ENODATA);
    check_done(os_list_xattrs(&by_name, &p, &err));
    assert_int_equal(pairs_find(&p, bytes_of("user.b")), -1);
    os_close(by_handle.handle);
    pairs_release(&p);
    pairs_release(&q);
}

static void odd_names_and_all_sizes_come_back(void **state)
{
    static const size_t sizes[] = {0, 1, 511, 512, 513, 2000, 65536};
    static const char *const names[] = {"user.=", "user.%41 b", "user.\xc3\xa4", "user.\xff\n"};
    struct folder *f = *state;
    struct os_object o = folder_object(f->handle, "file");
    static char value[65536];

    folder_write(f->handle, "file", 0600, "");
    for (size_t i = 0; i < sizeof value; i++)
        value[i] = (char)(i * 31);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        if (set(&o, "user.size", bytes_make(value, sizes[i])))
            check_value(&o, "user.size", bytes_make(value, sizes[i]));
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (set(&o, names[i], bytes_of("x")))
            check_value(&o, names[i], bytes_of("x"));
    }
}

/* More names than the first room holds. ext4 keeps about 4 KiB of attributes; tmpfs and btrfs more.
 */
static void long_lists_are_read_whole(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    struct os_object o = folder_object(f->handle, "file");
    struct pairs p = {0};
    size_t made = 0;

    folder_write(f->handle, "file", 0600, "");
    for (int i = 0; i < 40; i++) {
        char name[256];
        (void)snprintf(name, sizeof name, "user.%0200d", i);
        made += set(&o, name, bytes_of(""));
    }
    check_done(os_list_xattrs(&o, &p, &err));
    assert_true(p.count >= made);
    pairs_release(&p);
}

static void a_link_has_its_own(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    struct os_object link = folder_object(f->handle, "link");
    struct os_object file = folder_object(f->handle, "file");
    struct pairs p = {0};

    folder_write(f->handle, "file", 0600, "");
    check_done(os_make_symlink(f->handle, "link", bytes_of("file"), &err));
    if (set(&file, "user.x", bytes_of("file"))) {
        check_done(os_list_xattrs(&link, &p, &err));
        assert_int_equal(pairs_find(&p, bytes_of("user.x")), -1);
    }
    assert_int_equal(os_set_xattr(&link, "user.y", bytes_of("link"), &err), -1);
    assert_true(os_error_is_permission(&err) || os_error_is_unsupported(&err));
    error_release(&err);
    pairs_release(&p);
    if (!os_is_privileged())
        check_skip("needs root to set trusted attributes on a link");
    if (set(&link, "trusted.x", bytes_of("link")))
        check_value(&link, "trusted.x", bytes_of("link"));
    check_done(os_list_xattrs(&file, &p, &err));
    assert_int_equal(pairs_find(&p, bytes_of("trusted.x")), -1);
    pairs_release(&p);
}

/* user::rw- user:1000:r-- group::r-- mask::r-- other::--- in the kernel's form. */
static const uint8_t acl[] = {2, 0,   0,   0,   1,   0,   6,  0, 255, 255, 255, 255, 2,   0,  4,
                              0, 232, 3,   0,   0,   4,   0,  4, 0,   255, 255, 255, 255, 16, 0,
                              4, 0,   255, 255, 255, 255, 32, 0, 0,   0,   255, 255, 255, 255};

static void access_lists_are_attributes(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    struct os_object dir = folder_object(f->handle, "dir");
    struct bytes value = bytes_make(acl, sizeof acl);

    check_done(os_make_dir(f->handle, "dir", 0700, &err));
    if (!set(&dir, "system.posix_acl_default", value))
        check_skip("no access lists on this file system");
    check_value(&dir, "system.posix_acl_default", value);
    check_done(os_set_xattr(&dir, "system.posix_acl_access", value, &err));
    check_value(&dir, "system.posix_acl_access", value);
}

static void other_kinds_have_none_or_some(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    struct os_object o = folder_object(f->handle, "fifo");
    struct pairs p = {0};

    check_done(os_make_node(f->handle, "fifo", &(struct os_node){OS_FIFO, 0600, 0, 0}, &err));
    check_done(os_list_xattrs(&o, &p, &err));
    o.name = "missing";
    check_code(os_list_xattrs(&o, &p, &err), ENOENT);
    o.name = "../x";
    check_kind(os_list_xattrs(&o, &p, &err), ERROR_REFUSED);
    check_kind(os_set_xattr(&o, "user.x", bytes_of(""), &err), ERROR_REFUSED);
    check_kind(os_remove_xattr(&o, "user.x", &err), ERROR_REFUSED);
    pairs_release(&p);
}

/* Works on a new kernel, and on an old one says what it wants. */
static bool without_proc(struct folder *f)
{
    struct os_object o = folder_object(f->handle, "file");
    struct pairs p = {0};
    struct error err = {0};
    bool good;

    if (unshare(CLONE_NEWNS) || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) ||
        mount("none", "/proc", "tmpfs", 0, NULL))
        return true;
    if (os_list_xattrs(&o, &p, &err))
        good = os_error_is_unsupported(&err) && !strcmp(err.detail, "needs /proc");
    else
        good = p.count > 0;
    pairs_release(&p);
    error_release(&err);
    return good;
}

static void proc_is_not_needed_or_asked_for(void **state)
{
    struct folder *f = *state;
    struct os_object o = folder_object(f->handle, "file");
    pid_t child;
    int result;

    folder_write(f->handle, "file", 0600, "");
    if (!set(&o, "user.x", bytes_of("y")) || !os_is_privileged())
        check_skip("needs root and user attributes");
    child = fork();
    if (child == 0)
        _exit(without_proc(f) ? 0 : 1);
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_int_equal(result, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(handles_and_names_agree, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(odd_names_and_all_sizes_come_back, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(long_lists_are_read_whole, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(a_link_has_its_own, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(access_lists_are_attributes, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(other_kinds_have_none_or_some, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(proc_is_not_needed_or_asked_for, folder_setup,
                                        folder_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
