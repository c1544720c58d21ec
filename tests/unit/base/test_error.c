/*
 * Errors: what they hold, who owns it, and how they are said.
 */
#include "base/error.h"

#include <errno.h>
#include <string.h>

#include "support/check.h"

static void an_os_error_says_what_the_system_says(void **state)
{
    struct error err = {0};
    char text[100];

    (void)state;
    assert_int_equal(error_os(&err, "open", ENOENT), -1);
    assert_int_equal(err.kind, ERROR_OS);
    assert_string_equal(err.operation, "open");
    assert_string_equal(error_reason(&err, text, sizeof text), strerror(ENOENT));
}

static void a_detail_comes_before_the_system_words(void **state)
{
    struct error err = {0};
    char text[100];

    (void)state;
    assert_int_equal(error_set(&err, ERROR_LIMIT, "link", "%d names", 65000), -1);
    assert_string_equal(error_reason(&err, text, sizeof text), "65000 names");
    err.os_code = EMLINK;
    assert_string_equal(error_reason(&err, text, sizeof text), "65000 names: Too many links");
    assert_string_equal(error_reason(&err, text, 6), "65000");
    assert_non_null(error_reason(&err, text, 0));
}

static void every_kind_has_words(void **state)
{
    char text[100];

    (void)state;
    for (int kind = ERROR_NONE; kind <= ERROR_INTERRUPTED; kind++) {
        struct error err = {.kind = (enum error_kind)kind};
        assert_true(strlen(error_reason(&err, text, sizeof text)) > 0);
    }
}

static void the_first_path_stays(void **state)
{
    struct error err = {0};
    const char path[] = "a\0b";

    (void)state;
    error_memory(&err);
    assert_int_equal(error_at(&err, path, 3), -1);
    assert_int_equal(error_at(&err, "other", 5), -1);
    assert_int_equal(err.path_bytes, 3);
    assert_memory_equal(err.path, path, 4);
    error_release(&err);
    assert_null(err.path);
    assert_int_equal(err.kind, ERROR_NONE);
}

static void a_move_leaves_nothing_behind(void **state)
{
    struct error from = {0}, to = {0};

    (void)state;
    error_os(&from, "read", EIO);
    error_at(&from, "x", 1);
    error_os(&to, "write", ENOSPC);
    error_at(&to, "y", 1);
    error_move(&to, &from);
    assert_int_equal(to.os_code, EIO);
    assert_string_equal(to.path, "x");
    assert_int_equal(from.kind, ERROR_NONE);
    assert_null(from.path);
    error_move(NULL, &to);
    assert_null(to.path);
}

static void nobody_needs_to_listen(void **state)
{
    (void)state;
    assert_int_equal(error_os(NULL, "open", EIO), -1);
    assert_int_equal(error_set(NULL, ERROR_FORMAT, "read", "x"), -1);
    assert_int_equal(error_memory(NULL), -1);
    assert_int_equal(error_at(NULL, "x", 1), -1);
    error_release(NULL);
}

static void a_new_error_replaces_the_old(void **state)
{
    struct error err = {0};

    (void)state;
    error_os(&err, "read", EIO);
    error_at(&err, "x", 1);
    error_set(&err, ERROR_FORMAT, "decode", "%0300d", 1);
    assert_null(err.path);
    assert_int_equal(err.os_code, 0);
    assert_int_equal(strlen(err.detail), sizeof err.detail - 1);
    error_release(&err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_os_error_says_what_the_system_says),
        cmocka_unit_test(a_detail_comes_before_the_system_words),
        cmocka_unit_test(every_kind_has_words),
        cmocka_unit_test(the_first_path_stays),
        cmocka_unit_test(a_move_leaves_nothing_behind),
        cmocka_unit_test(nobody_needs_to_listen),
        cmocka_unit_test(a_new_error_replaces_the_old),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
