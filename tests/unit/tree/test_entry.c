/* entry.h: the order of paths, and what a path lies in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tree/entry.h"

static int order(const char *a, const char *b)
{
    int forth = path_compare(bytes_of(a), bytes_of(b));
    assert_int_equal(forth, -path_compare(bytes_of(b), bytes_of(a)));
    return forth;
}

static void test_order(void **state)
{
    (void)state;
    assert_int_equal(order("a", "a"), 0);
    assert_int_equal(order("a", "b"), -1);
    assert_int_equal(order("a", "a/b"), -1);
    assert_int_equal(order("a/b", "a.b"), -1);
    assert_int_equal(order("a", "a.b"), -1);
    assert_int_equal(order("a/z", "a.b"), -1);
    assert_int_equal(order("a/b/c", "a/b.c"), -1);
    assert_int_equal(order("a\x01", "a/b"), 1);
    assert_int_equal(order("a\x7f", "a\x80"), -1);
    assert_int_equal(order("a/\xff", "b"), -1);
    assert_int_equal(order("", "a"), -1);
}

static void test_within(void **state)
{
    (void)state;
    assert_true(path_is_within(bytes_of("a/b"), bytes_of("a")));
    assert_true(path_is_within(bytes_of("a"), bytes_of("a")));
    assert_true(path_is_within(bytes_of("a"), bytes_of("")));
    assert_false(path_is_within(bytes_of("ab"), bytes_of("a")));
    assert_false(path_is_within(bytes_of("a"), bytes_of("a/b")));
}

static void test_parent(void **state)
{
    (void)state;
    assert_true(bytes_equal(path_parent(bytes_of("a/b/c")), bytes_of("a/b")));
    assert_int_equal(path_parent(bytes_of("a")).size, 0);
    assert_int_equal(path_parent(bytes_of("")).size, 0);
}

static void test_names(void **state)
{
    (void)state;
    struct entry e = {.path = bytes_of("a/bc"), .name_offset = 2};
    assert_true(bytes_equal(entry_name(&e), bytes_of("bc")));
    assert_false(entry_is_further_name(&e));
    e.first_name = bytes_of("a/a");
    assert_true(entry_is_further_name(&e));
    assert_string_equal(entry_kind_name(ENTRY_DIRECTORY), "directory");
    assert_string_equal(entry_kind_name(ENTRY_BLOCK_DEVICE), "blockdev");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_within),
        cmocka_unit_test(test_parent),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
