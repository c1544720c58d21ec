/*
 * Libraries loaded while the program runs: what is there is found and can be called, what is not is
 * an error with its name.
 */
#define _GNU_SOURCE /* RTLD_DEFAULT */
#include <dlfcn.h>
#include <string.h>

#include "os/os.h"
#include "support/check.h"

static struct error err;

static struct os_library *load(void)
{
    struct os_library *library;

    check_done(os_library_load(HOLDFAST_LIBARCHIVE_SONAME, &library, &err));
    return library;
}

static void test_a_function_is_found_and_works(void **state)
{
    os_function function;

    (void)state;
    check_done(os_library_find(load(), "archive_version_number", &function, &err));
    assert_true(((int (*)(void))function)() >= 3000000);
}

static void test_one_library_however_often_it_is_loaded(void **state)
{
    (void)state;
    assert_ptr_equal(load(), load());
}

static void test_the_program_does_not_see_its_functions(void **state)
{
    (void)state;
    assert_non_null(load());
    assert_null(dlsym(RTLD_DEFAULT, "archive_version_number"));
}

static void test_a_missing_library_is_named(void **state)
{
    static const char name[] = "libholdfast-is-not-there.so.1";
    struct os_library *library;

    (void)state;
    assert_int_equal(os_library_load(name, &library, &err), -1);
    assert_int_equal(err.kind, ERROR_UNSUPPORTED);
    assert_non_null(strstr(err.detail, name));
    error_release(&err);
}

static void test_a_missing_function_is_named(void **state)
{
    os_function function;

    (void)state;
    assert_int_equal(os_library_find(load(), "archive_is_not_there", &function, &err), -1);
    assert_int_equal(err.kind, ERROR_UNSUPPORTED);
    assert_non_null(strstr(err.detail, "archive_is_not_there"));
    error_release(&err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_function_is_found_and_works),
        cmocka_unit_test(test_one_library_however_often_it_is_loaded),
        cmocka_unit_test(test_the_program_does_not_see_its_functions),
        cmocka_unit_test(test_a_missing_library_is_named),
        cmocka_unit_test(test_a_missing_function_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
