/*
 * WTF-8 and UTF-16: each has one form in the other, and what is neither is refused.
 */
#include "base/wtf8.h"

#include <string.h>

#include "support/check.h"

/* Every UTF-16 here has the text beside it, and comes back from it. */
static void texts_and_units_are_two_forms_of_one(void **state)
{
    static const struct {
        const char *text;
        size_t units;
        const char *utf16;
    } cases[] = {
        {"", 0, ""},
        {"a", 1, "a\0"},
        {"\x7f\xc2\x80", 2, "\x7f\0\x80\0"},
        {"\xdf\xbf\xe0\xa0\x80", 2, "\xff\x07\x00\x08"},
        {"\xed\x9f\xbf\xee\x80\x80", 2, "\xff\xd7\x00\xe0"},
        {"\xef\xbf\xbf", 1, "\xff\xff"},
        {"\xf0\x90\x80\x80", 2, "\x00\xd8\x00\xdc"},
        {"\xf4\x8f\xbf\xbf", 2, "\xff\xdb\xff\xdf"},
        {"\xf0\x9f\x98\x80", 2, "\x3d\xd8\x00\xde"},
        /* Surrogates without a partner: a lead, a trail, both the wrong way round. */
        {"\xed\xa0\x80", 1, "\x00\xd8"},
        {"\xed\xbf\xbf", 1, "\xff\xdf"},
        {"\xed\xb0\x80\xed\xa0\x80", 2, "\x00\xdc\x00\xd8"},
        {"\xed\xa0\x80z\xed\xb0\x80", 3, "\x00\xd8z\0\x00\xdc"},
        /* Two leads: the second has a partner. */
        {"\xed\xa0\xbd\xf0\x9f\x98\x80", 3, "\x3d\xd8\x3d\xd8\x00\xde"},
        {"\xf0\x9f\x98\x80\xed\xb8\x80", 3, "\x3d\xd8\x00\xde\x00\xde"},
    };
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer out = {0};
        struct bytes utf16 = bytes_make(cases[i].utf16, cases[i].units * 2);
        size_t units = 99;

        check_done(wtf8_from_utf16(&out, utf16, &err));
        check_text(buffer_bytes(&out), cases[i].text);
        assert_true(wtf8_is_valid(buffer_bytes(&out), &units));
        assert_int_equal(units, cases[i].units);
        buffer_clear(&out);
        check_done(wtf8_to_utf16(&out, bytes_of(cases[i].text), &err));
        assert_true(bytes_equal(buffer_bytes(&out), utf16));
        buffer_release(&out);
    }
}

static void what_is_no_wtf8_is_refused(void **state)
{
    static const char *const cases[] = {
        "\x80",                     /* no lead byte */
        "a\xbf",                    /* the same, later */
        "\xc3",                     /* cut short */
        "\xe2\x82",                 /* */
        "\xf0\x9f\x98",             /* */
        "\xc0\x80",                 /* overlong */
        "\xc1\xbf",                 /* */
        "\xe0\x80\x80",             /* */
        "\xe0\x9f\xbf",             /* */
        "\xf0\x80\x80\x80",         /* */
        "\xf0\x8f\xbf\xbf",         /* */
        "\xf4\x90\x80\x80",         /* over U+10FFFF */
        "\xf8\x88\x80\x80\x80",     /* five bytes */
        "\xff",                     /* */
        "\xc3(",                    /* no byte that goes on */
        "\xed\xa0\x80\xed\xb0\x80", /* a pair, as two times three bytes */
        "x\xed\xaf\xbf\xed\xbf\xbfy",
    };
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer out = {0};

        check_done(buffer_append_byte(&out, 'k', &err));
        assert_false(wtf8_is_valid(bytes_of(cases[i]), NULL));
        check_kind(wtf8_to_utf16(&out, bytes_of(cases[i]), &err), ERROR_FORMAT);
        check_text(buffer_bytes(&out), "k");
        buffer_release(&out);
    }
}

static void an_odd_byte_is_refused(void **state)
{
    struct buffer out = {0};
    struct error err = {0};

    (void)state;
    check_kind(wtf8_from_utf16(&out, bytes_make("a\0b", 3), &err), ERROR_FORMAT);
    check_kind(wtf8_from_utf16(&out, bytes_make("a", 1), &err), ERROR_FORMAT);
    assert_int_equal(out.size, 0);
    buffer_release(&out);
}

/* Each pair of units out of those at every border. */
static void every_border_comes_back(void **state)
{
    static const uint16_t borders[] = {0,      1,      0x7f,   0x80,   0x7ff,  0x800,  0xd7ff,
                                       0xd800, 0xdbff, 0xdc00, 0xdfff, 0xe000, 0xfffe, 0xffff};
    enum { COUNT = sizeof borders / sizeof *borders };
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < COUNT * COUNT * COUNT; i++) {
        const uint16_t units[3] = {borders[i % COUNT], borders[i / COUNT % COUNT],
                                   borders[i / COUNT / COUNT]};
        struct buffer utf16 = {0}, text = {0}, again = {0};

        for (size_t k = 0; k < 3; k++) {
            check_done(buffer_append_byte(&utf16, (uint8_t)units[k], &err));
            check_done(buffer_append_byte(&utf16, (uint8_t)(units[k] >> 8), &err));
        }
        check_done(wtf8_from_utf16(&text, buffer_bytes(&utf16), &err));
        check_done(wtf8_to_utf16(&again, buffer_bytes(&text), &err));
        assert_true(bytes_equal(buffer_bytes(&utf16), buffer_bytes(&again)));
        buffer_release(&utf16);
        buffer_release(&text);
        buffer_release(&again);
    }
}

static void code_points_are_decoded_one_by_one(void **state)
{
    uint32_t point = 0;

    (void)state;
    assert_int_equal(wtf8_decode(bytes_of("az"), &point), 1);
    assert_int_equal(point, 'a');
    assert_int_equal(wtf8_decode(bytes_of("\xf0\x9f\x98\x80z"), &point), 4);
    assert_int_equal(point, 0x1f600);
    assert_int_equal(wtf8_decode(bytes_of("\xed\xa0\x80"), &point), 3);
    assert_int_equal(point, 0xd800);
    assert_true(wtf8_is_lead(point) && !wtf8_is_trail(point));
    assert_int_equal(wtf8_decode(bytes_of("\xff"), &point), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_and_units_are_two_forms_of_one),
        cmocka_unit_test(what_is_no_wtf8_is_refused),
        cmocka_unit_test(an_odd_byte_is_refused),
        cmocka_unit_test(every_border_comes_back),
        cmocka_unit_test(code_points_are_decoded_one_by_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
