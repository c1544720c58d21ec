/*
 * Accounts: root is everywhere, and the cache answers as the system does.
 */
#include <stdio.h>
#include <string.h>

#include "os/os.h"
#include "support/check.h"

static void root_is_known_both_ways(void **state)
{
    struct os_accounts *a;
    struct error err = {0};
    uint64_t number = 7;

    (void)state;
    check_done(os_accounts_new(&a, &err));
    for (int round = 0; round < 2; round++) {
        assert_string_equal(os_user_name(a, 0), "root");
        assert_string_equal(os_group_name(a, 0), "root");
        assert_int_equal(os_user_number(a, "root", &number), 0);
        assert_int_equal(number, 0);
        assert_int_equal(os_group_number(a, "root", &number), 0);
        assert_int_equal(number, 0);
    }
    os_accounts_free(a);
    os_accounts_free(NULL);
}

static void nobody_answers_for_unknown_ones(void **state)
{
    struct os_accounts *a;
    struct error err = {0};
    uint64_t number;

    (void)state;
    check_done(os_accounts_new(&a, &err));
    for (int round = 0; round < 2; round++) {
        assert_null(os_user_name(a, 3999999999));
        assert_null(os_group_name(a, 3999999999));
        assert_null(os_user_name(a, UINT32_MAX));
        assert_null(os_user_name(a, (uint64_t)1 << 32));
        assert_int_equal(os_user_number(a, "no such user here", &number), -1);
        assert_int_equal(os_group_number(a, "", &number), -1);
    }
    os_accounts_free(a);
}

/* More accounts than are kept: each is asked for twice, in an order that pushes others out. */
static void a_pushed_out_answer_is_asked_for_again(void **state)
{
    struct os_accounts *kept, *fresh;
    struct error err = {0};
    char name[100];

    (void)state;
    check_done(os_accounts_new(&kept, &err));
    for (uint64_t step = 0; step < 200; step++) {
        uint64_t id = step * 7 % 100;
        const char *text = os_user_name(kept, id);
        check_done(os_accounts_new(&fresh, &err));
        const char *wanted = os_user_name(fresh, id);
        assert_int_equal(text == NULL, wanted == NULL);
        if (text) {
            uint64_t back;
            assert_string_equal(text, wanted);
            (void)snprintf(name, sizeof name, "%s", text);
            assert_int_equal(os_user_number(kept, name, &back), 0);
            assert_int_equal(back, id);
        }
        os_accounts_free(fresh);
    }
    os_accounts_free(kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(root_is_known_both_ways),
        cmocka_unit_test(nobody_answers_for_unknown_ones),
        cmocka_unit_test(a_pushed_out_answer_is_asked_for_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
