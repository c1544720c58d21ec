/*
 * The content of files on a disk: ranges, reads, and whether it changed.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk/walk.h"
#include "support/check.h"
#include "support/folder.h"

enum { UNIT = 64 * 1024 }; /* a multiple of every usual block */

static struct data *open_content(const struct folder *f, const char *name)
{
    struct error err = {0};
    struct data *d = NULL;

    check_done(disk_data_open(f->handle, name, &d, &err));
    return d;
}

/* A file of `units` units with data in those whose letter is 'd'. */
static void write_sparse(const struct folder *f, const char *name, const char *units)
{
    static const char bytes[UNIT] = {1};
    int fd = openat((int)f->handle, name, O_CREAT | O_WRONLY, 0600);

    assert_true(fd >= 0);
    for (size_t i = 0; units[i]; i++) {
        if (units[i] == 'd')
            assert_int_equal(pwrite(fd, bytes, UNIT, (off_t)(i * UNIT)), UNIT);
    }
    assert_int_equal(ftruncate(fd, (off_t)(strlen(units) * UNIT)), 0);
    close(fd);
}

static void a_dense_file_is_one_range(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    char bytes[20];
    size_t got;

    folder_write(f->handle, "file", 0600, "hello, world");
    struct data *d = open_content(f, "file");
    assert_int_equal(d->size, 12);
    assert_int_equal(d->extent_count, 1);
    assert_int_equal(d->extents[0].offset, 0);
    assert_int_equal(d->extents[0].length, 12);
    assert_true(d->os_handle >= 0);
    check_done(data_read(d, 7, (struct data_span){bytes, sizeof bytes}, &got, &err));
    assert_int_equal(got, 5);
    assert_memory_equal(bytes, "world", 5);
    check_done(data_read(d, 12, (struct data_span){bytes, sizeof bytes}, &got, &err));
    assert_int_equal(got, 0);
    data_close(d);
}

static void an_empty_file_has_no_range(void **state)
{
    struct folder *f = *state;

    folder_write(f->handle, "file", 0600, "");
    struct data *d = open_content(f, "file");
    assert_int_equal(d->size, 0);
    assert_int_equal(d->extent_count, 0);
    data_close(d);
}

static void holes_lie_between_the_ranges(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    char byte = 7;
    size_t got;

    write_sparse(f, "file", ".dd.d.");
    struct data *d = open_content(f, "file");
    assert_int_equal(d->size, 6 * UNIT);
    assert_int_equal(d->extent_count, 2);
    assert_int_equal(d->extents[0].offset, UNIT);
    assert_int_equal(d->extents[0].length, 2 * UNIT);
    assert_int_equal(d->extents[1].offset, 4 * UNIT);
    assert_int_equal(d->extents[1].length, UNIT);
    check_done(data_read(d, 10, (struct data_span){&byte, 1}, &got, &err));
    assert_int_equal(byte, 0);
    data_close(d);
}

static void a_file_that_is_all_hole_has_no_range(void **state)
{
    struct folder *f = *state;

    write_sparse(f, "file", "...");
    struct data *d = open_content(f, "file");
    assert_int_equal(d->size, 3 * UNIT);
    assert_int_equal(d->extent_count, 0);
    data_close(d);
}

static void a_huge_hole_costs_nothing(void **state)
{
    struct folder *f = *state;
    const uint64_t size = UINT64_C(64) << 30;

    write_sparse(f, "file", "d");
    int fd = openat((int)f->handle, "file", O_WRONLY);
    assert_int_equal(ftruncate(fd, (off_t)size), 0);
    close(fd);
    struct data *d = open_content(f, "file");
    assert_true(d->size == size);
    assert_int_equal(d->extent_count, 1);
    assert_int_equal(d->extents[0].length, UNIT);
    data_close(d);
}

static void a_change_is_seen(void **state)
{
    struct folder *f = *state;
    struct error err = {0};

    folder_write(f->handle, "file", 0600, "one");
    struct data *d = open_content(f, "file");
    assert_int_equal(check_done(data_changed(d, &err)), 0);
    int fd = openat((int)f->handle, "file", O_WRONLY | O_APPEND);
    assert_int_equal(write(fd, "!", 1), 1);
    close(fd);
    assert_int_equal(check_done(data_changed(d, &err)), 1);
    data_close(d);

    /* The same size and mtime: the ctime tells. */
    d = open_content(f, "file");
    usleep(20000);
    check_done(fchmodat((int)f->handle, "file", 0644, 0));
    assert_int_equal(check_done(data_changed(d, &err)), 1);
    data_close(d);
}

static void only_regular_files_have_content(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    struct data *d;

    folder_write(f->handle, "file", 0600, "one");
    check_done(os_make_symlink(f->handle, "link", bytes_of("file"), &err));
    check_done(os_make_node(f->handle, "fifo", &(struct os_node){OS_FIFO, 0600, 0, 0}, &err));
    assert_int_equal(disk_data_open(f->handle, "link", &d, &err), -1);
    assert_true(os_error_is_link(&err));
    error_release(&err);
    check_kind(disk_data_open(f->handle, "fifo", &d, &err), ERROR_REFUSED);
    assert_int_equal(disk_data_open(f->handle, "missing", &d, &err), -1);
    assert_true(os_error_is_missing(&err));
    error_release(&err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_dense_file_is_one_range, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(an_empty_file_has_no_range, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(holes_lie_between_the_ranges, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(a_file_that_is_all_hole_has_no_range, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(a_huge_hole_costs_nothing, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(a_change_is_seen, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(only_regular_files_have_content, folder_setup,
                                        folder_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
