/*
 * Reparse buffers: what the fixtures say of each, and that the encoder gives the bytes back.
 */
#include "link/reparse.h"

#include <string.h>

#include "support/check.h"
#include "support/fixture.h"

/* A line of a table: bytes, and what is to be said of them. */
struct row {
    struct buffer raw;
    struct bytes words;
};

/* Reads the next row of a table; false at its end. */
static bool next_row(struct bytes *left, struct row *row)
{
    struct bytes line, before;

    row->raw.size = 0;
    while (fixture_line(left, &line)) {
        if (!line.size || line.data[0] == '#')
            continue;
        assert_true(fixture_before(&line, "=> ", &before));
        fixture_bytes(before, &row->raw);
        row->words = line;
        return true;
    }
    return false;
}

static void check_encodes_to(const struct reparse *r, struct bytes wanted)
{
    struct buffer bytes = {0};
    struct error err = {0};

    check_done(buffer_append(&bytes, "before", 6, &err));
    check_done(reparse_encode(r, &bytes, &err));
    assert_true(bytes_equal(bytes_make(bytes.data + 6, bytes.size - 6), wanted));
    buffer_release(&bytes);
}

static void malformed_buffers_are_told_and_kept(void **state)
{
    struct buffer table = {0};
    struct row row = {0};
    struct bytes left;
    size_t count = 0;

    (void)state;
    fixture_read("reparse/malformed.txt", &table);
    left = buffer_bytes(&table);
    while (next_row(&left, &row)) {
        struct reparse r = {0};
        struct error err = {0};

        check_done(reparse_decode(buffer_bytes(&row.raw), &r, &err));
        if (r.kind != REPARSE_MALFORMED)
            fail_msg("not malformed, but: %.*s", (int)row.words.size, (const char *)row.words.data);
        assert_non_null(r.fault);
        check_text(row.words, r.fault);
        assert_false(reparse_is_link(&r));
        assert_true(reparse_is_exact(&r));
        check_encodes_to(&r, buffer_bytes(&row.raw));
        reparse_release(&r);
        count++;
    }
    assert_true(count >= 60);
    buffer_release(&row.raw);
    buffer_release(&table);
}

/* "KIND" or "KIND: TARGET". */
static void check_fine(const struct reparse *r, struct bytes words)
{
    struct buffer wanted = {0}, target = {0};
    struct error err = {0};
    struct bytes kind = words, rest = words;
    bool is_link = fixture_before(&rest, ": ", &kind);

    assert_null(r->fault);
    check_text(kind, reparse_kind_name(r->kind));
    assert_int_equal(reparse_is_link(r), is_link);
    if (is_link) {
        fixture_text(rest, &wanted);
        check_done(reparse_append_target(r, &target, &err));
        check_done(buffer_terminate(&wanted, &err));
        check_text(buffer_bytes(&target), (const char *)wanted.data);
    } else {
        check_kind(reparse_append_target(r, &target, &err), ERROR_USAGE);
    }
    buffer_release(&wanted);
    buffer_release(&target);
}

static void fine_buffers_have_a_kind_and_a_target(void **state)
{
    struct buffer table = {0};
    struct row row = {0};
    struct bytes left;

    (void)state;
    fixture_read("reparse/fine.txt", &table);
    left = buffer_bytes(&table);
    while (next_row(&left, &row)) {
        struct reparse r = {0};
        struct error err = {0};

        check_done(reparse_decode(buffer_bytes(&row.raw), &r, &err));
        check_fine(&r, row.words);
        if (reparse_is_exact(&r))
            check_encodes_to(&r, buffer_bytes(&row.raw));
        reparse_release(&r);
    }
    buffer_release(&row.raw);
    buffer_release(&table);
}

/* Decodes words of the fixtures' notation. */
static void decode(const char *words, struct buffer *raw, struct reparse *r)
{
    struct error err = {0};

    raw->size = 0;
    fixture_bytes(bytes_of(words), raw);
    check_done(reparse_decode(buffer_bytes(raw), r, &err));
}

static void set(struct buffer *name, const char *text)
{
    struct error err = {0};

    name->size = 0;
    check_done(buffer_append(name, text, strlen(text), &err));
}

static void names_flags_and_places_are_read(void **state)
{
    struct buffer raw = {0};
    struct reparse r = {0};

    (void)state;
    decode("0c0000a0 2a00 cdab 0a00 1000 0000 0800 010000c0 'ab' \"\\\\b\" 00*24", &raw, &r);
    assert_int_equal(r.kind, REPARSE_MALFORMED);
    reparse_release(&r);
    decode(
        "0c0000a0 2a00 cdab 0c00 1000 0200 0800 000000c0 01ff \"C:\\b\" 02ff \"\\??\\C:\\a\" 03ff",
        &raw, &r);
    assert_int_equal(r.kind, REPARSE_SYMLINK);
    assert_int_equal(r.tag, REPARSE_TAG_SYMLINK);
    assert_int_equal(r.reserved, 0xabcd);
    assert_int_equal(r.flags, 0xc0000000);
    check_text(buffer_bytes(&r.substitute), "\\??\\C:\\a");
    check_text(buffer_bytes(&r.print), "C:\\b");
    assert_int_equal(r.layout.order, REPARSE_PRINT_FIRST);
    check_text(r.layout.before, "\x01\xff");
    check_text(r.layout.between, "\x02\xff");
    check_text(r.layout.after, "\x03\xff");
    assert_int_equal(reparse_rules(&r), TARGET_RULES_NT);
    reparse_release(&r);
    decode("42000020 0200 0000 11*16 0102", &raw, &r);
    assert_int_equal(r.guid.size, 16);
    assert_int_equal(r.data.size, 2);
    reparse_release(&r);
    buffer_release(&raw);
}

static void other_names_keep_the_layout(void **state)
{
    struct buffer raw = {0}, wanted = {0};
    struct reparse r = {0};

    (void)state;
    decode(
        "0c0000a0 2a00 cdab 0c00 1000 0200 0800 000000c0 01ff \"C:\\b\" 02ff \"\\??\\C:\\a\" 03ff",
        &raw, &r);
    set(&r.substitute, "\\??\\D:\\long");
    set(&r.print, "x");
    fixture_bytes(bytes_of("0c0000a0 2a00 cdab 0600 1600 0200 0200 000000c0 01ff \"x\" 02ff "
                           "\"\\??\\D:\\long\" 03ff"),
                  &wanted);
    check_encodes_to(&r, buffer_bytes(&wanted));
    reparse_release(&r);

    /* One place for two names, which differ now. */
    decode("0c0000a0 1000 0000 0000 0400 0000 0400 01000000 \"ab\"", &raw, &r);
    assert_int_equal(r.layout.order, REPARSE_SHARED);
    set(&r.substitute, "abc");
    wanted.size = 0;
    fixture_bytes(bytes_of("0c0000a0 1600 0000 0000 0600 0600 0400 01000000 \"abc\" \"ab\""),
                  &wanted);
    check_encodes_to(&r, buffer_bytes(&wanted));
    set(&r.print, "abc");
    wanted.size = 0;
    fixture_bytes(bytes_of("0c0000a0 1200 0000 0000 0600 0000 0600 01000000 \"abc\""), &wanted);
    check_encodes_to(&r, buffer_bytes(&wanted));
    reparse_release(&r);

    /* The print name inside the other. */
    decode("030000a0 1c00 0000 0000 1000 0800 0800 \"\\??\\C:\\a\" 0000 0000", &raw, &r);
    assert_false(reparse_is_exact(&r));
    wanted.size = 0;
    fixture_bytes(
        bytes_of("030000a0 2400 0000 0000 1000 1200 0800 \"\\??\\C:\\a\" 0000 \"C:\\a\" 0000"),
        &wanted);
    check_encodes_to(&r, buffer_bytes(&wanted));
    reparse_release(&r);
    buffer_release(&raw);
    buffer_release(&wanted);
}

static void what_cannot_be_encoded_is_refused(void **state)
{
    struct buffer raw = {0}, out = {0};
    struct reparse r = {0};
    struct error err = {0};

    (void)state;
    decode("030000a0 2400 0000 0000 1000 1200 0800 \"\\??\\C:\\a\" 0000 \"C:\\a\" 0000", &raw, &r);
    set(&r.substitute, "");
    check_kind(reparse_encode(&r, &out, &err), ERROR_FORMAT);
    set(&r.substitute, "C:\\a");
    check_kind(reparse_encode(&r, &out, &err), ERROR_FORMAT);
    set(&r.substitute, "\\??\\C:\\\xff");
    check_kind(reparse_encode(&r, &out, &err), ERROR_FORMAT);
    set(&r.substitute, "\\??\\C:\\");
    check_done(buffer_append(&r.substitute, "a\0b", 3, &err));
    check_kind(reparse_encode(&r, &out, &err), ERROR_FORMAT);
    set(&r.substitute, "\\??\\C:\\");
    for (size_t i = 0; i < 8192; i++)
        check_done(buffer_append_byte(&r.substitute, 'x', &err));
    check_kind(reparse_encode(&r, &out, &err), ERROR_LIMIT);
    for (size_t i = 0; i < 70000; i++)
        check_done(buffer_append_byte(&r.substitute, 'x', &err));
    check_kind(reparse_encode(&r, &out, &err), ERROR_LIMIT);
    assert_int_equal(out.size, 0);
    /* The largest: 8 + 8 bytes, 8162 and 4 characters, two NULs. */
    set(&r.substitute, "\\??\\C:\\");
    while (r.substitute.size < (REPARSE_MAX_BYTES - 16 - 8 - 4) / 2)
        check_done(buffer_append_byte(&r.substitute, 'x', &err));
    check_done(reparse_encode(&r, &out, &err));
    assert_int_equal(out.size, REPARSE_MAX_BYTES);
    check_done(buffer_append_byte(&r.substitute, 'x', &err));
    check_kind(reparse_encode(&r, &out, &err), ERROR_LIMIT);
    reparse_release(&r);
    buffer_release(&raw);
    buffer_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(malformed_buffers_are_told_and_kept),
        cmocka_unit_test(fine_buffers_have_a_kind_and_a_target),
        cmocka_unit_test(names_flags_and_places_are_read),
        cmocka_unit_test(other_names_keep_the_layout),
        cmocka_unit_test(what_cannot_be_encoded_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
