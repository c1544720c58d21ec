/*
 * Folders that are one, lie in each other, or have nothing in common. What mounts do to that is the
 * end-to-end tests' matter.
 */
#include "os/os.h"
#include "support/check.h"
#include "support/folder.h"

static struct error err;

static os_handle made(os_handle folder, const char *name)
{
    os_handle h;

    check_done(os_make_dir(folder, name, 0700, &err));
    check_done(os_open_dir(folder, name, &h, &err));
    return h;
}

static void check(os_handle a, os_handle b, bool a_below, bool b_below)
{
    assert_int_equal(os_folder_is_below(a, b, &err), a_below);
    assert_int_equal(os_folder_is_below(b, a, &err), b_below);
    assert_int_equal(os_folders_overlap(a, b, &err), a_below || b_below);
    assert_int_equal(os_folders_overlap(b, a, &err), a_below || b_below);
}

static void test_by_names(void **state)
{
    struct folder *f = *state;
    os_handle a = made(f->handle, "a"), ab = made(f->handle, "ab"), in_a = made(a, "b");
    os_handle deep = made(in_a, "deep"), again;

    check(a, a, true, true);
    check(a, ab, false, false);
    check(deep, a, true, false);
    check(deep, ab, false, false);
    check(f->handle, deep, false, true);
    check_done(os_open_root(f->path, &again, &err));
    check(f->handle, again, true, true);
    os_close(again);
    check_done(os_open_root("/", &again, &err));
    check(deep, again, true, false);
    os_close(again);
    os_close(deep);
    os_close(in_a);
    os_close(ab);
    os_close(a);
}

static void test_names_with_spaces_and_backslashes(void **state)
{
    struct folder *f = *state;
    os_handle a = made(f->handle, "a b\\040\n"), in = made(a, "\\"), other = made(f->handle, "a b");

    check(in, a, true, false);
    check(in, other, false, false);
    os_close(in);
    os_close(other);
    os_close(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_by_names, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(test_names_with_spaces_and_backslashes, folder_setup,
                                        folder_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
