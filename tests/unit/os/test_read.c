/*
 * Reading: targets of any length, data at any place, holes, pipes.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "os/os.h"
#include "support/check.h"
#include "support/folder.h"

static void targets_of_any_length_come_back(void **state)
{
    static const size_t sizes[] = {1, 255, 256, 257, 1023, 1024, 4094, 4095};
    struct folder *f = *state;
    struct error err = {0};
    char target[4096];

    memset(target, 't', sizeof target);
    target[0] = '\n';
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct buffer out = {0};
        struct bytes wanted = bytes_make(target, sizes[i]);
        check_done(buffer_append(&out, "kept", 4, &err));
        if (os_make_symlink(f->handle, "link", wanted, &err)) {
            /* XFS holds 1,023 bytes. */
            assert_true(sizes[i] > 1023);
            error_release(&err);
            buffer_release(&out);
            continue;
        }
        check_done(os_read_link(f->handle, "link", &out, &err));
        assert_true(bytes_equal(bytes_make(out.data + 4, out.size - 4), wanted));
        check_done(os_remove(f->handle, "link", &err));
        buffer_release(&out);
    }
}

static void what_is_no_link_has_no_target(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    struct buffer out = {0};

    folder_write(f->handle, "file", 0600, "");
    check_code(os_read_link(f->handle, "file", &out, &err), EINVAL);
    check_code(os_read_link(f->handle, "missing", &out, &err), ENOENT);
    check_kind(os_read_link(f->handle, "a/b", &out, &err), ERROR_REFUSED);
    assert_int_equal(out.size, 0);
    buffer_release(&out);
}

static void reads_are_short_only_at_the_end(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    os_handle h;
    char bytes[20];
    size_t got;

    folder_write(f->handle, "file", 0600, "0123456789");
    check_done(os_open_file(f->handle, "file", &h, &err));
    check_done(os_read(h, bytes, 4, &got, &err));
    assert_int_equal(got, 4);
    check_done(os_read_at(h, (struct os_range){8, 10}, bytes + 10, &got, &err));
    assert_int_equal(got, 2);
    assert_memory_equal(bytes + 10, "89", 2);
    check_done(os_read(h, bytes + 4, 16, &got, &err));
    assert_int_equal(got, 6);
    assert_memory_equal(bytes, "0123456789", 10);
    check_done(os_read(h, bytes, 1, &got, &err));
    assert_int_equal(got, 0);
    check_done(os_read_at(h, (struct os_range){100, 1}, bytes, &got, &err));
    assert_int_equal(got, 0);
    os_close(h);
}

static void a_pipe_is_read_in_pieces(void **state)
{
    struct error err = {0};
    int ends[2];
    char bytes[10];
    size_t got;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "abc", 3), 3);
    close(ends[1]);
    check_done(os_read(ends[0], bytes, sizeof bytes, &got, &err));
    assert_int_equal(got, 3);
    os_close(ends[0]);
}

static void holes_are_found(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    uint64_t start, end, at = 0, data = 0;
    const uint64_t far = (uint64_t)1 << 32;
    os_handle h;

    check_done(os_create_file(f->handle, "sparse", 0600, &h, &err));
    check_done(os_set_size(h, far * 2, &err));
    assert_int_equal(check_done(os_next_data(h, 0, &start, &end, &err)), 0);
    check_done(os_write_at(h, far, bytes_of("data"), &err));
    while (check_done(os_next_data(h, at, &start, &end, &err)) == 1) {
        assert_true(start >= at && end > start && end <= far * 2);
        assert_true(start <= far && end >= far + 4);
        data += end - start;
        at = end;
    }
    /* A file system without holes calls everything data. */
    assert_true(data == far * 2 || data <= 1 << 20);
    assert_int_equal(check_done(os_next_data(h, far * 4, &start, &end, &err)), 0);
    assert_int_equal(check_done(os_next_data(h, UINT64_MAX, &start, &end, &err)), 0);
    os_close(h);
}

static void an_empty_file_has_no_data(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    uint64_t start, end;
    os_handle h;

    folder_write(f->handle, "empty", 0600, "");
    folder_write(f->handle, "full", 0600, "x");
    check_done(os_open_file(f->handle, "empty", &h, &err));
    assert_int_equal(check_done(os_next_data(h, 0, &start, &end, &err)), 0);
    os_close(h);
    check_done(os_open_file(f->handle, "full", &h, &err));
    assert_int_equal(check_done(os_next_data(h, 0, &start, &end, &err)), 1);
    assert_true(start == 0 && end == 1);
    os_close(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(targets_of_any_length_come_back, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(what_is_no_link_has_no_target, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(reads_are_short_only_at_the_end, folder_setup,
                                        folder_teardown),
        cmocka_unit_test(a_pipe_is_read_in_pieces),
        cmocka_unit_test_setup_teardown(holes_are_found, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(an_empty_file_has_no_data, folder_setup, folder_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
