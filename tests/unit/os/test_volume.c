/*
 * Volumes: facts, durability, the lock, and where a handle is.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "os/os.h"
#include "support/check.h"
#include "support/folder.h"

static void facts_are_told(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    struct os_volume v;

    check_done(os_volume_facts(f->handle, &v, &err));
    assert_true(strlen(v.file_system) > 0);
    assert_true(v.block_bytes > 0);
    assert_true(v.time_grain_ns > 0);
    check_code(os_volume_facts(OS_NO_HANDLE, &v, &err), EBADF);
}

static void known_file_systems_are_known(void **state)
{
    struct error err = {0};
    struct os_volume v;
    os_handle h;

    (void)state;
    if (os_open_root("/proc", &h, &err)) {
        error_release(&err);
        check_skip("needs /proc");
    }
    check_done(os_volume_facts(h, &v, &err));
    assert_string_equal(v.file_system, "proc");
    assert_int_equal(v.time_grain_ns, 1);
    assert_false(v.link_count_is_hint);
    os_close(h);
}

static void files_and_volumes_are_synced(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    os_handle h;

    folder_write(f->handle, "file", 0600, "x");
    check_done(os_sync_file(f->handle, &err));
    check_done(os_sync_volume(f->handle, &err));
    check_done(os_open_file(f->handle, "file", &h, &err));
    check_done(os_sync_file(h, &err));
    check_done(os_sync_volume(h, &err));
    os_close(h);
    check_code(os_sync_volume(OS_NO_HANDLE, &err), EBADF);
}

static void one_lock_at_a_time(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    os_handle first, second;

    check_done(os_open_root(f->path, &first, &err));
    check_done(os_open_root(f->path, &second, &err));
    assert_int_equal(check_done(os_lock(first, &err)), 0);
    assert_int_equal(check_done(os_lock(first, &err)), 0);
    assert_int_equal(check_done(os_lock(second, &err)), 1);
    os_close(first);
    assert_int_equal(check_done(os_lock(second, &err)), 0);
    os_close(second);
    check_code(os_lock(OS_NO_HANDLE, &err), EBADF);
}

static void a_handle_knows_its_path(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    struct buffer path = {0};
    os_handle h;
    char *real = realpath(f->path, NULL);

    assert_non_null(real);
    check_done(os_handle_path(f->handle, &path, &err));
    check_text(buffer_bytes(&path), real);
    free(real);
    buffer_clear(&path);
    check_done(os_open_root("/", &h, &err));
    check_done(os_handle_path(h, &path, &err));
    check_text(buffer_bytes(&path), "/");
    os_close(h);
    buffer_release(&path);
}

/* 25 levels of 200 bytes: more than the system tells at once. */
static void a_deep_handle_knows_its_path(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    struct buffer path = {0};
    char name[201];
    os_handle at, h;

    memset(name, 'n', 200);
    name[200] = '\0';
    check_done(os_open_beneath(f->handle, bytes_of(""), &at, &err));
    for (int level = 0; level < 25; level++) {
        check_done(os_make_dir(at, name, 0700, &err));
        check_done(os_open_dir(at, name, &h, &err));
        os_close(at);
        at = h;
    }
    check_done(os_handle_path(at, &path, &err));
    assert_true(path.size > 25 * 201);
    check_done(buffer_terminate(&path, &err));
    check_done(os_open_root((char *)path.data, &h, &err));
    os_close(h);
    os_close(at);
    buffer_release(&path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(facts_are_told, folder_setup, folder_teardown),
        cmocka_unit_test(known_file_systems_are_known),
        cmocka_unit_test_setup_teardown(files_and_volumes_are_synced, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(one_lock_at_a_time, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(a_handle_knows_its_path, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(a_deep_handle_knows_its_path, folder_setup,
                                        folder_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
