/*
 * Copying inside the system: what was asked for, at its place, or a clear no.
 */
#include <string.h>

#include "os/os.h"
#include "support/check.h"
#include "support/folder.h"

static struct error err;

static os_handle opened(os_handle folder, const char *name)
{
    os_handle h;

    check_done(os_open_file(folder, name, &h, &err));
    return h;
}

static os_handle created(os_handle folder, const char *name)
{
    os_handle h;

    check_done(os_create_file(folder, name, 0600, &h, &err));
    return h;
}

static void check_content(os_handle file, const char *wanted, size_t bytes)
{
    char got_bytes[100];
    size_t got;

    check_done(os_read_at(file, (struct os_range){0, sizeof got_bytes}, got_bytes, &got, &err));
    assert_int_equal(got, bytes);
    assert_memory_equal(got_bytes, wanted, bytes);
}

static void test_a_range_keeps_its_place(void **state)
{
    struct folder *f = *state;
    uint64_t copied = 0;

    folder_write(f->handle, "from", 0600, "0123456789");
    os_handle from = opened(f->handle, "from"), to = created(f->handle, "to");
    int done = os_copy_range(from, to, (struct os_range){4, 3}, &copied, &err);
    check_done(done);
    if (done) {
        assert_int_equal(copied, 3);
        check_content(to,
                      "\0\0\0\0"
                      "456",
                      7);
    }
    os_close(from);
    os_close(to);
}

static void test_a_range_behind_the_end_is_none(void **state)
{
    struct folder *f = *state;
    uint64_t copied;

    folder_write(f->handle, "from", 0600, "short");
    os_handle from = opened(f->handle, "from"), to = created(f->handle, "to");
    assert_int_equal(os_copy_range(from, to, (struct os_range){5, 10}, &copied, &err), 0);
    os_close(from);
    os_close(to);
}

static void test_a_clone_is_the_content_or_a_no(void **state)
{
    struct folder *f = *state;

    folder_write(f->handle, "from", 0600, "content");
    os_handle from = opened(f->handle, "from"), to = created(f->handle, "to");
    int cloned = os_clone(from, to, &err);
    check_done(cloned);
    check_content(to, "content", cloned ? 7 : 0);
    os_close(from);
    os_close(to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_range_keeps_its_place, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(test_a_range_behind_the_end_is_none, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(test_a_clone_is_the_content_or_a_no, folder_setup,
                                        folder_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
