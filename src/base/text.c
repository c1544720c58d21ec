/*
 * text.c: UTF-8, masking and distance of text.h. Base64 is in text_base64.c, times are in
 * text_time.c.
 */
#include "base/text.h"

#include <stdio.h>
#include <string.h>

#include "base/wtf8.h"

/* Decodes the character at the start of `b` (not empty). Returns its bytes, or 0 if they are not
 * valid UTF-8, which has no surrogates. */
static size_t decode(struct bytes b, uint32_t *character)
{
    size_t count = wtf8_decode(b, character);

    return count && (wtf8_is_lead(*character) || wtf8_is_trail(*character)) ? 0 : count;
}

static struct bytes skip(struct bytes b, size_t count)
{
    return bytes_make(b.data + count, b.size - count);
}

bool text_is_utf8(struct bytes b)
{
    while (b.size) {
        uint32_t character;
        size_t count = decode(b, &character);
        if (!count)
            return false;
        b = skip(b, count);
    }
    return true;
}

/* Characters that a terminal obeys, or that change how their neighbours look, and show nothing
 * themselves (Unicode categories Cc, Cf, Zl, Zp). The joiners U+200C and U+200D are ordinary
 * spelling in several scripts and stay. */
static bool is_control(uint32_t character)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0x0, 0x1f},        {0x7f, 0x9f},     {0xad, 0xad},     {0x61c, 0x61c},
        {0x180e, 0x180e},   {0x200b, 0x200b}, {0x200e, 0x200f}, {0x2028, 0x202e},
        {0x2060, 0x206f},   {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0x1d173, 0x1d17a},
        {0xe0000, 0xe007f},
    };

    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        if (character < ranges[i].first)
            return false;
        if (character <= ranges[i].last)
            return true;
    }
    return false;
}

static int mask_one(struct buffer *out, struct bytes character, uint32_t value, struct error *err)
{
    char text[16];
    int length;

    if (value == '\\')
        return buffer_append(out, "\\\\", 2, err);
    if (!is_control(value))
        return buffer_append(out, character.data, character.size, err);
    length = snprintf(text, sizeof text, value < 0x80 ? "\\x%02X" : "\\u{%X}", (unsigned)value);
    return buffer_append(out, text, (size_t)length, err);
}

/* How many bytes stand for themselves: printable ASCII, the usual. */
static size_t plain_bytes(struct bytes b)
{
    size_t count = 0;

    while (count < b.size && b.data[count] >= ' ' && b.data[count] < 0x7f && b.data[count] != '\\')
        count++;
    return count;
}

int text_mask(struct buffer *out, struct bytes b, struct error *err)
{
    while (b.size) {
        uint32_t value;
        size_t plain = plain_bytes(b);

        if (buffer_append(out, b.data, plain, err))
            return -1;
        b = skip(b, plain);
        if (!b.size)
            break;
        size_t count = decode(b, &value);
        char text[8];

        if (count) {
            if (mask_one(out, bytes_make(b.data, count), value, err))
                return -1;
        } else {
            count = 1;
            int length = snprintf(text, sizeof text, "\\x%02X", (unsigned)b.data[0]);
            if (buffer_append(out, text, (size_t)length, err))
                return -1;
        }
        b = skip(b, count);
    }
    return 0;
}

static size_t smallest(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;

    return least < c ? least : c;
}

size_t text_distance(const char *a, const char *b)
{
    enum { LONGEST = 63 };
    size_t rows[3][LONGEST + 1];
    size_t a_bytes = strlen(a), b_bytes = strlen(b);
    size_t *before = rows[0], *above = rows[1], *row = rows[2];

    if (a_bytes > LONGEST || b_bytes > LONGEST)
        return a_bytes > b_bytes ? a_bytes : b_bytes;
    for (size_t j = 0; j <= b_bytes; j++)
        above[j] = j;
    for (size_t i = 1; i <= a_bytes; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b_bytes; j++) {
            row[j] = smallest(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + 1 < row[j])
                row[j] = before[j - 2] + 1;
        }
        size_t *free_row = before;
        before = above;
        above = row;
        row = free_row;
    }
    return above[b_bytes];
}
