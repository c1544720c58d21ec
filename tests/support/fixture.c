/*
 * fixture.c: see fixture.h.
 */
#include "support/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/check.h"

void fixture_read(const char *name, struct buffer *out)
{
    char path[4096], block[4096];
    struct error err = {0};
    size_t count;
    FILE *file;

    (void)snprintf(path, sizeof path, "%s/%s", HOLDFAST_FIXTURES, name);
    file = fopen(path, "rb");
    if (!file)
        fail_msg("cannot read %s", path);
    while ((count = fread(block, 1, sizeof block, file)) > 0)
        check_done(buffer_append(out, block, count, &err));
    (void)fclose(file);
}

static void skip_bytes(struct bytes *b, size_t count)
{
    *b = bytes_make(b->data + count, b->size - count);
}

bool fixture_line(struct bytes *left, struct bytes *line)
{
    const uint8_t *end = left->size ? memchr(left->data, '\n', left->size) : NULL;
    size_t count = end ? (size_t)(end - left->data) : left->size;

    if (!left->size)
        return false;
    *line = bytes_make(left->data, count);
    skip_bytes(left, count + (end ? 1 : 0));
    return true;
}

bool fixture_before(struct bytes *line, const char *mark, struct bytes *before)
{
    size_t size = strlen(mark);

    for (size_t i = 0; i + size <= line->size; i++) {
        if (memcmp(line->data + i, mark, size) != 0)
            continue;
        *before = bytes_make(line->data, i);
        skip_bytes(line, i + size);
        return true;
    }
    return false;
}

static int digit_of(uint8_t byte)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = byte ? strchr(digits, byte) : NULL;

    if (!found)
        fail_msg("no hexadecimal digit: %c", byte);
    return (int)(found - digits);
}

/* Takes the two digits of a byte. */
static void take_hex(struct bytes *words, struct buffer *out)
{
    struct error err = {0};

    assert_true(words->size >= 2);
    check_done(buffer_append_byte(
        out, (uint8_t)(digit_of(words->data[0]) << 4 | digit_of(words->data[1])), &err));
    skip_bytes(words, 2);
}

static void take_quoted(struct bytes *words, struct buffer *out)
{
    uint8_t quote = words->data[0];
    struct error err = {0};

    for (skip_bytes(words, 1); words->size && words->data[0] != quote; skip_bytes(words, 1)) {
        check_done(buffer_append_byte(out, words->data[0], &err));
        if (quote == '"')
            check_done(buffer_append_byte(out, 0, &err));
    }
    assert_true(words->size);
    skip_bytes(words, 1);
}

/* Takes `*N`, which repeats what stands behind `start` in `out`. */
static void take_count(struct bytes *words, struct buffer *out, size_t start)
{
    size_t count = 0, size = out->size - start;
    struct error err = {0};

    for (skip_bytes(words, 1); words->size && words->data[0] >= '0' && words->data[0] <= '9';
         skip_bytes(words, 1))
        count = count * 10 + words->data[0] - '0';
    assert_true(count);
    for (size_t i = 1; i < count; i++) {
        check_done(buffer_reserve(out, size, &err));
        check_done(buffer_append(out, out->data + start, size, &err));
    }
}

void fixture_bytes(struct bytes words, struct buffer *out)
{
    size_t start = out->size, word = start;

    while (words.size && words.data[0] != '#') {
        uint8_t byte = words.data[0];
        bool fresh = words.data[0] == '*' && word == out->size;

        if (byte == ' ') {
            word = out->size;
            skip_bytes(&words, 1);
        } else if (byte == '*') {
            take_count(&words, out, fresh ? start : word);
        } else if (byte == '"' || byte == '\'') {
            take_quoted(&words, out);
        } else {
            take_hex(&words, out);
        }
    }
}

void fixture_text(struct bytes text, struct buffer *out)
{
    struct error err = {0};

    while (text.size) {
        struct bytes before = text;

        if (!fixture_before(&text, "<", &before)) {
            check_done(buffer_append(out, text.data, text.size, &err));
            return;
        }
        check_done(buffer_append(out, before.data, before.size, &err));
        assert_true(fixture_before(&text, ">", &before));
        fixture_bytes(before, out);
    }
}
