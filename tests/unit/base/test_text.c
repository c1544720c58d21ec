/*
 * Text: what is valid, what is safe on a terminal, what is near.
 */
#include "base/text.h"

#include "support/check.h"

static void valid_utf8_is_known(void **state)
{
    static const char *const valid[] = {
        "",
        "plain",
        "\x7f",
        "\xc2\x80",
        "\xdf\xbf",
        "\xe0\xa0\x80",
        "\xed\x9f\xbf",
        "\xee\x80\x80",
        "\xf0\x90\x80\x80",
        "\xf4\x8f\xbf\xbf",
    };
    static const char *const invalid[] = {
        "\x80",
        "\xbf",
        "\xc0\x80",
        "\xc1\xbf",
        "\xc2",
        "\xc2\x41",
        "\xe0\x9f\xbf",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xe1\x80",
        "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xff",
        "\xf1\x80\x80",
        "a\xfe",
    };

    (void)state;
    for (size_t i = 0; i < sizeof valid / sizeof *valid; i++)
        assert_true(text_is_utf8(bytes_of(valid[i])));
    for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++)
        assert_false(text_is_utf8(bytes_of(invalid[i])));
    /* A character that the end of the bytes cuts. */
    assert_false(text_is_utf8(bytes_make("\xc3\xa4", 1)));
    assert_true(text_is_utf8(bytes_make("a\0b", 3)));
}

static void check_masked(struct bytes raw, const char *wanted)
{
    struct buffer out = {0};
    struct error err = {0};

    check_done(text_mask(&out, raw, &err));
    check_text(buffer_bytes(&out), wanted);
    buffer_release(&out);
}

static void what_terminals_obey_is_masked(void **state)
{
    (void)state;
    check_masked(bytes_of("plain name.txt"), "plain name.txt");
    check_masked(bytes_of("na\xc3\xafve \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x98\x80"),
                 "na\xc3\xafve \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x98\x80");
    check_masked(bytes_of("\x1b[31mred\n\t\r\x7f"), "\\x1B[31mred\\x0A\\x09\\x0D\\x7F");
    check_masked(bytes_make("a\0b", 3), "a\\x00b");
    check_masked(bytes_of("\xc2\x9b"
                          "31m"),
                 "\\u{9B}31m");
    check_masked(bytes_of("back\\slash"), "back\\\\slash");
    check_masked(bytes_of("\xe2\x80\xae"
                          "txt.exe"),
                 "\\u{202E}txt.exe");
    check_masked(bytes_of("\xe2\x81\xa6\xe2\x81\xa9\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c"),
                 "\\u{2066}\\u{2069}\\u{200E}\\u{200F}\\u{61C}");
    check_masked(bytes_of("\xe2\x80\xa8\xe2\x80\xa9\xef\xbb\xbf"), "\\u{2028}\\u{2029}\\u{FEFF}");
    check_masked(bytes_of("\xf3\xa0\x81\x81"), "\\u{E0041}");
}

static void invalid_bytes_are_masked_one_by_one(void **state)
{
    (void)state;
    check_masked(bytes_of("\xff"
                          "a\xe2\x80"),
                 "\\xFFa\\xE2\\x80");
    check_masked(bytes_of("\xed\xa0\x80"), "\\xED\\xA0\\x80");
    check_masked(bytes_of("\xc3"
                          "A"),
                 "\\xC3A");
}

static void distance_counts_edits(void **state)
{
    char longer[100];

    (void)state;
    assert_int_equal(text_distance("", ""), 0);
    assert_int_equal(text_distance("backup", "backup"), 0);
    assert_int_equal(text_distance("bakcup", "backup"), 1);
    assert_int_equal(text_distance("back", "backup"), 2);
    assert_int_equal(text_distance("", "abc"), 3);
    assert_int_equal(text_distance("kitten", "sitting"), 3);
    for (size_t i = 0; i < sizeof longer; i++)
        longer[i] = i + 1 < sizeof longer ? 'x' : '\0';
    assert_int_equal(text_distance(longer, "x"), 99);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_utf8_is_known),
        cmocka_unit_test(what_terminals_obey_is_masked),
        cmocka_unit_test(invalid_bytes_are_masked_one_by_one),
        cmocka_unit_test(distance_counts_edits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
