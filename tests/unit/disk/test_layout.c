/*
 * The roots of a layout by name.
 */
#include "disk/layout.h"
#include "support/check.h"

static void each_root_is_found_by_its_name(void **state)
{
    const struct disk_root roots[] = {
        {.name = "a"}, {.name = "a.b", .place = "/x"}, {.name = "ab"}, {.name = "\xff"}};
    const struct disk_layout layout = {"base", roots, 4};

    (void)state;
    assert_ptr_equal(layout_find(&layout, "a", 1), &roots[0]);
    assert_ptr_equal(layout_find(&layout, "a.b", 3), &roots[1]);
    assert_ptr_equal(layout_find(&layout, "abc", 2), &roots[2]);
    assert_ptr_equal(layout_find(&layout, "\xff", 1), &roots[3]);
    assert_null(layout_find(&layout, "b", 1));
    assert_null(layout_find(&layout, "", 0));
    assert_null(layout_find(&(struct disk_layout){0}, "a", 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_root_is_found_by_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
