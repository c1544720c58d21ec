/*
 * Buffers and cursors: what is written comes back, and nothing is read past the end.
 */
#include "base/buffer.h"

#include <string.h>

#include "support/check.h"

static void bytes_have_the_canonical_order(void **state)
{
    (void)state;
    assert_true(bytes_compare(bytes_of("a"), bytes_of("b")) < 0);
    assert_true(bytes_compare(bytes_of("a"), bytes_of("ab")) < 0);
    assert_true(bytes_compare(bytes_of(""), bytes_of("a")) < 0);
    assert_true(bytes_compare(bytes_of("\xff"), bytes_of("a")) > 0);
    assert_int_equal(bytes_compare(bytes_of("ab"), bytes_of("ab")), 0);
    assert_int_equal(bytes_compare(bytes_make(NULL, 0), bytes_of("")), 0);
    assert_true(bytes_equal(bytes_make(NULL, 0), bytes_of("")));
    assert_false(bytes_equal(bytes_of("a"), bytes_of("ab")));
}

static void a_buffer_grows_and_keeps_its_content(void **state)
{
    struct buffer b = {0};
    struct error err = {0};

    (void)state;
    for (int i = 0; i < 10000; i++)
        check_done(buffer_append_byte(&b, (uint8_t)i, &err));
    assert_int_equal(b.size, 10000);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(b.data[i], (uint8_t)i);
    buffer_clear(&b);
    assert_int_equal(buffer_bytes(&b).size, 0);
    assert_non_null(b.data);
    buffer_release(&b);
    assert_null(b.data);
    buffer_release(&b);
    buffer_release(NULL);
}

static void nothing_can_be_appended(void **state)
{
    struct buffer b = {0};
    struct error err = {0};

    (void)state;
    check_done(buffer_append(&b, NULL, 0, &err));
    assert_null(b.data);
    check_done(buffer_terminate(&b, &err));
    assert_string_equal((char *)b.data, "");
    assert_int_equal(b.size, 0);
    buffer_release(&b);
}

static void too_much_is_an_error(void **state)
{
    struct buffer b = {0};
    struct error err = {0};

    (void)state;
    check_done(buffer_append_byte(&b, 1, &err));
    check_kind(buffer_reserve(&b, SIZE_MAX, &err), ERROR_MEMORY);
    check_kind(buffer_reserve(&b, SIZE_MAX / 2, &err), ERROR_MEMORY);
    assert_int_equal(b.size, 1);
    buffer_release(&b);
}

static void numbers_come_back(void **state)
{
    static const uint64_t numbers[] = {0,      1,          0x7f,       0x80,       0x3fff,
                                       0x4000, UINT32_MAX, 1ull << 62, 1ull << 63, UINT64_MAX};
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct buffer b = {0};
        uint64_t wide;
        uint32_t narrow;

        check_done(buffer_append_varint(&b, numbers[i], &err));
        check_done(buffer_append_u64(&b, numbers[i], &err));
        check_done(buffer_append_u32(&b, (uint32_t)numbers[i], &err));
        struct cursor c = {b.data, b.size};
        check_done(cursor_varint(&c, &wide, &err));
        assert_true(wide == numbers[i]);
        check_done(cursor_u64(&c, &wide, &err));
        assert_true(wide == numbers[i]);
        check_done(cursor_u32(&c, &narrow, &err));
        assert_true(narrow == (uint32_t)numbers[i]);
        assert_int_equal(c.left, 0);
        buffer_release(&b);
    }
}

static void integers_are_little_endian(void **state)
{
    struct buffer b = {0};
    struct error err = {0};

    (void)state;
    check_done(buffer_append_u32(&b, 0x04030201, &err));
    check_done(buffer_append_varint(&b, 300, &err));
    assert_memory_equal(b.data, "\1\2\3\4\xac\2", 6);
    buffer_release(&b);
}

static void strings_come_back(void **state)
{
    struct buffer b = {0};
    struct error err = {0};
    struct bytes text;

    (void)state;
    check_done(buffer_append_string(&b, bytes_of("hello"), &err));
    check_done(buffer_append_string(&b, bytes_make(NULL, 0), &err));
    struct cursor c = {b.data, b.size};
    check_done(cursor_string(&c, &text, &err));
    check_text(text, "hello");
    check_done(cursor_string(&c, &text, &err));
    check_text(text, "");
    check_kind(cursor_string(&c, &text, &err), ERROR_FORMAT);
    buffer_release(&b);
}

static void no_cut_is_read_past_the_end(void **state)
{
    struct buffer b = {0};
    struct error err = {0};

    (void)state;
    check_done(buffer_append_u64(&b, 7, &err));
    for (size_t left = 0; left < 8; left++) {
        struct cursor c = {b.data, left};
        uint64_t wide;
        uint32_t narrow;
        struct bytes taken;

        check_kind(cursor_u64(&c, &wide, &err), ERROR_FORMAT);
        assert_int_equal(c.left, left);
        check_kind(cursor_take(&c, left + 1, &taken, &err), ERROR_FORMAT);
        check_kind(cursor_take(&c, SIZE_MAX, &taken, &err), ERROR_FORMAT);
        if (left < 4)
            check_kind(cursor_u32(&c, &narrow, &err), ERROR_FORMAT);
    }
    buffer_release(&b);
}

static void malformed_numbers_are_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
    } cases[] = {
        {"", 0},
        {"\x80", 1},
        {"\x80\0", 2}, /* an idle zero */
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\2", 10},
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\0", 11},
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\1", 9},
    };
    struct error err = {0};
    uint64_t value;
    struct bytes text;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cursor c = {(const uint8_t *)cases[i].bytes, cases[i].size};
        check_kind(cursor_varint(&c, &value, &err), ERROR_FORMAT);
    }
    /* A length that no memory has. */
    struct cursor c = {(const uint8_t *)"\xff\xff\xff\xff\xff\xff\xff\xff\xff\1x", 11};
    check_kind(cursor_string(&c, &text, &err), ERROR_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_have_the_canonical_order),
        cmocka_unit_test(a_buffer_grows_and_keeps_its_content),
        cmocka_unit_test(nothing_can_be_appended),
        cmocka_unit_test(too_much_is_an_error),
        cmocka_unit_test(numbers_come_back),
        cmocka_unit_test(integers_are_little_endian),
        cmocka_unit_test(strings_come_back),
        cmocka_unit_test(no_cut_is_read_past_the_end),
        cmocka_unit_test(malformed_numbers_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
