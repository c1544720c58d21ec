/*
 * Times as decimal numbers: exact on both sides of 1970 and to the ends of the range.
 */
#include "base/text.h"

#include "support/check.h"

static const struct {
    struct timestamp time;
    const char *text;
} cases[] = {
    {{0, 0}, "0"},
    {{1, 250000000}, "1.25"},
    {{-2, 750000000}, "-1.25"},
    {{-1, 750000000}, "-0.25"},
    {{-1, 0}, "-1"},
    {{-1, 1}, "-0.999999999"},
    {{-1, 999999999}, "-0.000000001"},
    {{0, 1}, "0.000000001"},
    {{1234567890, 123456789}, "1234567890.123456789"},
    {{4102444800, 0}, "4102444800"},
    {{100, 0}, "100"},
    {{INT64_MAX, 999999999}, "9223372036854775807.999999999"},
    {{INT64_MIN, 0}, "-9223372036854775808"},
    {{INT64_MIN, 1}, "-9223372036854775807.999999999"},
};

static void times_are_written_and_read_back(void **state)
{
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer out = {0};
        struct timestamp back;
        check_done(text_append_time(&out, cases[i].time, &err));
        check_text(buffer_bytes(&out), cases[i].text);
        check_done(text_parse_time(buffer_bytes(&out), &back, &err));
        assert_int_equal(timestamp_compare(back, cases[i].time), 0);
        buffer_release(&out);
    }
}

static void check_parsed(const char *text, int64_t seconds, uint32_t nanoseconds)
{
    struct error err = {0};
    struct timestamp t;

    check_done(text_parse_time(bytes_of(text), &t, &err));
    assert_true(t.seconds == seconds);
    assert_int_equal(t.nanoseconds, nanoseconds);
}

static void any_count_of_digits_is_read(void **state)
{
    (void)state;
    check_parsed("00012.5000000000000", 12, 500000000);
    check_parsed("1.9999999999", 1, 999999999);
    /* Towards the past: -1.0000000001 lies before -1. */
    check_parsed("-1.0000000001", -2, 999999999);
    check_parsed("-1.9999999999", -2, 0);
    check_parsed("-0.9999999999", -1, 0);
    check_parsed("-0", 0, 0);
    check_parsed("-0.0000000000", 0, 0);
}

static void what_is_no_number_is_refused(void **state)
{
    static const char *const wrong[] = {
        "",
        "-",
        "+1",
        ".",
        ".5",
        "1.",
        "-.5",
        "1.2.3",
        "1e5",
        " 1",
        "1 ",
        "--1",
        "0x1",
        "1.-5",
        "1,5",
        "9223372036854775808",
        "-9223372036854775808.1",
        "-9223372036854775809",
        "99999999999999999999",
        "18446744073709551617",
    };
    struct error err = {0};
    struct timestamp t;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        check_kind(text_parse_time(bytes_of(wrong[i]), &t, &err), ERROR_FORMAT);
}

static void times_have_an_order(void **state)
{
    (void)state;
    assert_int_equal(timestamp_compare((struct timestamp){1, 2}, (struct timestamp){1, 2}), 0);
    assert_int_equal(timestamp_compare((struct timestamp){1, 2}, (struct timestamp){1, 3}), -1);
    assert_int_equal(timestamp_compare((struct timestamp){-1, 9}, (struct timestamp){-2, 10}), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_written_and_read_back),
        cmocka_unit_test(any_count_of_digits_is_read),
        cmocka_unit_test(what_is_no_number_is_refused),
        cmocka_unit_test(times_have_an_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
