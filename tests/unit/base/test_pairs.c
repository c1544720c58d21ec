/*
 * Lists of pairs.
 */
#include "base/pairs.h"

#include <stdio.h>
#include <string.h>

#include "support/check.h"

static void add(struct pairs *p, const char *name, const char *value)
{
    struct error err = {0};

    check_done(pairs_append(p, bytes_of(name), bytes_of(value), &err));
}

static void pairs_come_back(void **state)
{
    struct pairs p = {0};
    struct error err = {0};

    (void)state;
    add(&p, "user.b", "two");
    add(&p, "user.a", "");
    check_done(pairs_append(&p, bytes_make("n\0n", 3), bytes_make(NULL, 0), &err));
    assert_int_equal(p.count, 3);
    check_text(pairs_name(&p, 0), "user.b");
    assert_string_equal((const char *)pairs_name(&p, 0).data, "user.b");
    check_text(pairs_value(&p, 0), "two");
    check_text(pairs_value(&p, 1), "");
    assert_int_equal(pairs_name(&p, 2).size, 3);
    pairs_clear(&p);
    assert_int_equal(p.count, 0);
    assert_int_equal(pairs_find(&p, bytes_of("user.b")), -1);
    pairs_release(&p);
    pairs_release(&p);
    pairs_release(NULL);
}

static void the_last_of_a_name_is_found(void **state)
{
    struct pairs p = {0};

    (void)state;
    add(&p, "a", "1");
    add(&p, "b", "2");
    add(&p, "a", "3");
    assert_int_equal(pairs_find(&p, bytes_of("a")), 2);
    assert_int_equal(pairs_find(&p, bytes_of("b")), 1);
    assert_int_equal(pairs_find(&p, bytes_of("ab")), -1);
    pairs_sort(&p);
    assert_int_equal(pairs_find(&p, bytes_of("a")), 1);
    check_text(pairs_value(&p, 1), "3");
    pairs_release(&p);
}

static void sorting_is_by_bytes_and_stable(void **state)
{
    struct pairs p = {0};
    unsigned seed = 1;

    (void)state;
    for (int i = 0; i < 3000; i++) {
        char name[20], value[20];
        seed = seed * 1103515245 + 12345;
        (void)snprintf(name, sizeof name, "%c%x", (int)(seed >> 24 | 1), seed >> 20 & 0xff);
        (void)snprintf(value, sizeof value, "%05d", i);
        add(&p, name, value);
    }
    pairs_sort(&p);
    for (size_t i = 1; i < p.count; i++) {
        int order = bytes_compare(pairs_name(&p, i - 1), pairs_name(&p, i));
        assert_true(order < 0 ||
                    (order == 0 && bytes_compare(pairs_value(&p, i - 1), pairs_value(&p, i)) < 0));
    }
    pairs_release(&p);
}

static void a_copy_is_equal_and_apart(void **state)
{
    struct pairs a = {0}, b = {0};
    struct error err = {0};

    (void)state;
    add(&a, "x", "1");
    add(&a, "y", "2");
    add(&b, "old", "old");
    assert_false(pairs_equal(&a, &b));
    check_done(pairs_copy(&b, &a, &err));
    assert_true(pairs_equal(&a, &b));
    add(&b, "z", "3");
    assert_false(pairs_equal(&a, &b));
    add(&a, "z", "4");
    assert_false(pairs_equal(&a, &b));
    pairs_release(&a);
    pairs_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_come_back),
        cmocka_unit_test(the_last_of_a_name_is_found),
        cmocka_unit_test(sorting_is_by_bytes_and_stable),
        cmocka_unit_test(a_copy_is_equal_and_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
