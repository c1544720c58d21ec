/*
 * Case by NTFS' table: all of it by a checksum, and the cases that people meet by name.
 */
#include "base/upcase.h"

#include <zlib.h>

#include "support/check.h"

/* The $UpCase of a volume is 65,536 units, little endian; mkntfs' has this CRC-32. */
static void the_table_is_that_of_mkntfs(void **state)
{
    static uint8_t table[65536 * 2];

    (void)state;
    for (uint32_t unit = 0; unit < 65536; unit++) {
        uint32_t capital = upcase_point(unit);

        table[unit * 2] = (uint8_t)capital;
        table[unit * 2 + 1] = (uint8_t)(capital >> 8);
    }
    assert_int_equal(crc32(0, table, sizeof table), 0xcee8cffa);
}

static void characters_of_two_units_have_no_case(void **state)
{
    (void)state;
    assert_int_equal(upcase_point(0x10428), 0x10428);
    assert_int_equal(upcase_point(0x10ffff), 0x10ffff);
}

static void names_are_compared_without_case(void **state)
{
    static const struct {
        const char *a, *b;
        bool equal;
    } cases[] = {
        {"", "", true},
        {"a", "", false},
        {"Users", "uSERS", true},
        {"Users", "Users2", false},
        {"[", "{", false},
        {"@", "`", false},
        {"M\u00fcller", "M\u00dcLLER", true},
        {"\u0434\u043e\u043c", "\u0414\u041e\u041c", true},
        {"\u00ff", "\u0178", true},
        /* NTFS has no capital for the sharp s, the dotless i and the small final sigma. */
        {"\u00df", "SS", false},
        {"\u0131", "I", false},
        {"\u03c2", "\u03a3", false},
        /* Composed and decomposed are two names. */
        {"\u00e9", "e\u0301", false},
        {"\U00010428", "\U00010400", false},
        /* What is no text equals itself alone. */
        {"\xff", "\xff", true},
        {"\xff", "\xfe", false},
        {"\xff", "\u00ff", false},
        {"\xe9", "\u00e9", false},
        {"\xed\xa0\x80", "\xed\xa0\x80", true},
        {"\xed\xa0\x80", "\xed\xa0\x81", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes a = bytes_of(cases[i].a), b = bytes_of(cases[i].b);

        assert_int_equal(upcase_equal(a, b), cases[i].equal);
        assert_int_equal(upcase_equal(b, a), cases[i].equal);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_that_of_mkntfs),
        cmocka_unit_test(characters_of_two_units_have_no_case),
        cmocka_unit_test(names_are_compared_without_case),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
