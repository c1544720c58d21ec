/*
 * Names of any bytes in Unicode, as 7-Zip writes them.
 */
#include "archive/foreign_name.h"

#include <stdlib.h>

#include "base/text.h"
#include "support/check.h"

static struct error err;

static void check_name(const char *name, const char *escaped)
{
    struct buffer out = {0};

    check_done(foreign_name_escape(&out, bytes_of(name), &err));
    check_text(buffer_bytes(&out), escaped);
    check_done(foreign_name_unescape(&out, bytes_of(escaped), &err));
    check_text(buffer_bytes(&out), name);
    buffer_release(&out);
}

static void unicode_stays_as_it_is(void **state)
{
    (void)state;
    check_name("", "");
    check_name("plain/name", "plain/name");
    check_name("caf\xc3\xa9 e\xcc\x81 \xe4\xb8\xad \xf0\x9f\x98\x80",
               "caf\xc3\xa9 e\xcc\x81 \xe4\xb8\xad \xf0\x9f\x98\x80");
    check_name("\xee\xbd\xbf\xef\x80\x80", "\xee\xbd\xbf\xef\x80\x80"); /* next to the range */
}

static void other_bytes_are_escaped(void **state)
{
    (void)state;
    check_name("a\xff\xfe/b", "a\xee\xbf\xbf\xee\xbf\xbe/b");
    check_name("\x80\xbf\xc0", "\xee\xbe\x80\xee\xbe\xbf\xee\xbf\x80");
    check_name("\xed\xa0\x80", "\xee\xbf\xad\xee\xbe\xa0\xee\xbe\x80"); /* a surrogate */
    check_name("cut \xc3", "cut \xee\xbf\x83");
    check_name("\xee\xbe\x80", "\xee\xbf\xae\xee\xbe\xbe\xee\xbe\x80"); /* an escape itself */
}

/* Escaped names are Unicode, and unescaping is the inverse, whatever the bytes. */
static void any_bytes_come_back(void **state)
{
    static const uint8_t often[] = {0xee, 0xbe, 0xbf, 0x80, 0xbf, 0xed, 0xa0, 0xc3, 0xf0, '/'};
    struct buffer escaped = {0}, back = {0};
    uint8_t name[12];

    (void)state;
    srand(1);
    for (int round = 0; round < 20000; round++) {
        size_t size = (size_t)rand() % sizeof name;

        for (size_t i = 0; i < size; i++)
            name[i] = (uint8_t)(rand() % 4 != 0 ? often[(size_t)rand() % sizeof often]
                                                : 1 + rand() % 255);
        check_done(foreign_name_escape(&escaped, bytes_make(name, size), &err));
        assert_true(text_is_utf8(buffer_bytes(&escaped)));
        check_done(foreign_name_unescape(&back, buffer_bytes(&escaped), &err));
        assert_int_equal(back.size, size);
        assert_memory_equal(back.data, name, size);
    }
    buffer_release(&escaped);
    buffer_release(&back);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unicode_stays_as_it_is),
        cmocka_unit_test(other_bytes_are_escaped),
        cmocka_unit_test(any_bytes_come_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
