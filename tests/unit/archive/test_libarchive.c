/*
 * The table of libarchive's functions, in a program that is not linked with it.
 */
#include "archive/libarchive.h"

#include "os/thread.h"
#include "support/check.h"

enum { THREADS = 8 };

static struct error err;

static void load(void *context)
{
    struct archive **out = context;

    if (libarchive_load(NULL) == 0)
        *out = la.archive_read_new();
}

static void test_many_threads_can_begin_with_it(void **state)
{
    struct os_thread *threads[THREADS];
    struct archive *archives[THREADS] = {0};

    (void)state;
    assert_true(la.archive_read_new == NULL);
    for (size_t i = 0; i < THREADS; i++)
        check_done(os_thread_start(load, &archives[i], &threads[i], &err));
    for (size_t i = 0; i < THREADS; i++)
        os_thread_join(threads[i]);
    for (size_t i = 0; i < THREADS; i++) {
        assert_non_null(archives[i]);
        assert_int_equal(la.archive_read_free(archives[i]), ARCHIVE_OK);
    }
}

static void test_every_function_is_there(void **state)
{
    (void)state;
    check_done(libarchive_load(&err));
#define IS_THERE(name) assert_true(la.name != NULL);
    LIBARCHIVE_FUNCTIONS(IS_THERE)
#undef IS_THERE
}

static void test_each_stands_in_its_place(void **state)
{
    struct archive_entry *e;

    (void)state;
    check_done(libarchive_load(&err));
    e = la.archive_entry_new();
    assert_non_null(e);
    la.archive_entry_set_pathname(e, "a name");
    la.archive_entry_set_size(e, 1234);
    la.archive_entry_set_uid(e, 5);
    la.archive_entry_set_gid(e, 6);
    assert_string_equal(la.archive_entry_pathname(e), "a name");
    assert_int_equal(la.archive_entry_size(e), 1234);
    assert_int_equal(la.archive_entry_uid(e), 5);
    assert_int_equal(la.archive_entry_gid(e), 6);
    la.archive_entry_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_threads_can_begin_with_it),
        cmocka_unit_test(test_every_function_is_there),
        cmocka_unit_test(test_each_stands_in_its_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
