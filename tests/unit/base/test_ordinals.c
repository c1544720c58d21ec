#include "base/ordinals.h"

#include "support/check.h"

static void values_keep_their_numbers(void **state)
{
    struct ordinals o = {0};
    struct error err = {0};
    uint32_t number;

    (void)state;
    assert_false(ordinals_find(&o, 0, &number));
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < 100; i++) {
            assert_int_equal(ordinals_add(&o, UINT64_MAX - i, &number, &err), 0);
            assert_int_equal(number, i);
        }
    }
    assert_true(ordinals_find(&o, UINT64_MAX - 7, &number));
    assert_int_equal(number, 7);
    assert_false(ordinals_find(&o, 0, &number));
    ordinals_release(&o);
    assert_false(ordinals_find(&o, UINT64_MAX, &number));
    ordinals_release(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_keep_their_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
