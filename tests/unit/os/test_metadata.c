/*
 * Owner, mode and times: on a handle and on a name, never through a link.
 */
#include <errno.h>
#include <string.h>

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

static void modes_are_set(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    struct os_object o = folder_object(f->handle, "file");

    folder_write(f->handle, "file", 0600, "");
    check_done(os_set_mode(&o, 04751, &err));
    assert_int_equal(status(f->handle, "file").mode, 04751);
    check_done(os_open_file(f->handle, "file", &o.handle, &err));
    check_done(os_set_mode(&o, 02000, &err));
    assert_int_equal(status(f->handle, "file").mode, 02000);
    os_close(o.handle);
    o = folder_object(f->handle, "fifo");
    check_done(os_make_node(f->handle, "fifo", &(struct os_node){OS_FIFO, 0600, 0, 0}, &err));
    check_done(os_set_mode(&o, 0123, &err));
    assert_int_equal(status(f->handle, "fifo").mode, 0123);
}

static void the_mode_behind_a_link_stays(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    struct os_object o = folder_object(f->handle, "link");

    folder_write(f->handle, "file", 0600, "");
    check_done(os_make_symlink(f->handle, "link", bytes_of("file"), &err));
    check_kind(os_set_mode(&o, 0777, &err), ERROR_UNSUPPORTED);
    assert_int_equal(status(f->handle, "file").mode, 0600);
    o.name = "a/b";
    check_kind(os_set_mode(&o, 0777, &err), ERROR_REFUSED);
    o.name = "missing";
    check_code(os_set_mode(&o, 0777, &err), ENOENT);
}

static void check_times(os_handle folder, const char *name, struct timestamp wanted)
{
    struct error err = {0};
    struct os_object o = folder_object(folder, name);
    struct timestamp atime = {wanted.seconds + 1, 1};
    struct os_stat s;

    check_done(os_set_times(&o, &wanted, &atime, &err));
    s = status(folder, name);
    assert_int_equal(timestamp_compare(s.mtime, wanted), 0);
    assert_int_equal(timestamp_compare(s.atime, atime), 0);
}

/* Every kind can be given any time; the range is that of ext4 (1901 to 2446). */
static void times_are_exact_on_every_kind(void **state)
{
    static const struct timestamp times[] = {
        {0, 0},
        {-1, 999999999},
        {-2, 750000000},
        {-2000000000, 1},
        {1700000000, 123456789},
        {4102444800, 1},
        {10000000000, 999999999},
    };
    static const char *const names[] = {"dir", "fifo", "file", "link", "socket"};
    struct folder *f = *state;
    struct error err = {0};

    check_done(os_make_dir(f->handle, "dir", 0700, &err));
    check_done(os_make_node(f->handle, "fifo", &(struct os_node){OS_FIFO, 0600, 0, 0}, &err));
    folder_write(f->handle, "file", 0600, "");
    check_done(os_make_symlink(f->handle, "link", bytes_of("file"), &err));
    check_done(os_make_node(f->handle, "socket", &(struct os_node){OS_SOCKET, 0600, 0, 0}, &err));
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        for (size_t t = 0; t < sizeof times / sizeof *times; t++)
            check_times(f->handle, names[n], times[t]);
    }
}

static void a_time_can_be_left(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    struct os_object o = folder_object(f->handle, "file");
    struct timestamp first = {1000, 1}, second = {2000, 2};
    struct os_stat s;

    folder_write(f->handle, "file", 0600, "");
    check_done(os_open_file(f->handle, "file", &o.handle, &err));
    check_done(os_set_times(&o, &first, &first, &err));
    check_done(os_set_times(&o, &second, NULL, &err));
    s = status(f->handle, "file");
    assert_int_equal(timestamp_compare(s.mtime, second), 0);
    assert_int_equal(timestamp_compare(s.atime, first), 0);
    check_done(os_set_times(&o, NULL, &second, &err));
    check_done(os_set_times(&o, NULL, NULL, &err));
    s = status(f->handle, "file");
    assert_int_equal(timestamp_compare(s.mtime, second), 0);
    assert_int_equal(timestamp_compare(s.atime, second), 0);
    os_close(o.handle);
}

static void owners_are_set(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    struct os_object o = folder_object(f->handle, "link");
    struct os_stat s;

    if (!os_is_privileged())
        check_skip("needs root to give files away");
    folder_write(f->handle, "file", 0600, "");
    check_done(os_make_symlink(f->handle, "link", bytes_of("file"), &err));
    check_done(os_set_owner(&o, 1234, 4000000000, &err));
    s = status(f->handle, "link");
    assert_true(s.owner == 1234 && s.group == 4000000000);
    assert_int_equal(status(f->handle, "file").owner, 0);
    check_done(os_set_owner(&o, UINT64_MAX, 7, &err));
    s = status(f->handle, "link");
    assert_true(s.owner == 1234 && s.group == 7);
    o = folder_object(f->handle, "file");
    check_done(os_open_file(f->handle, "file", &o.handle, &err));
    check_done(os_set_owner(&o, 5, UINT64_MAX, &err));
    s = status(f->handle, "file");
    assert_true(s.owner == 5 && s.group == 0);
    os_close(o.handle);
}

static void numbers_that_the_system_lacks_are_named(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    struct os_object o = folder_object(f->handle, "file");

    folder_write(f->handle, "file", 0600, "");
    check_kind(os_set_owner(&o, UINT32_MAX, 0, &err), ERROR_LIMIT);
    check_kind(os_set_owner(&o, 0, (uint64_t)1 << 40, &err), ERROR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(modes_are_set, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(the_mode_behind_a_link_stays, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(times_are_exact_on_every_kind, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(a_time_can_be_left, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(owners_are_set, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(numbers_that_the_system_lacks_are_named, folder_setup,
                                        folder_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
