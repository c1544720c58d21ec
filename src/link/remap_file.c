/*
 * remap_file.c: the rules of a --map-file, of remap.h. A line is one JSON object (RFC 8259) of two
 * strings; whatever else JSON has is an error here.
 */
#include <string.h>

#include "base/text.h"
#include "base/wtf8.h"
#include "link/remap.h"

/* A line as it is read. */
struct line {
    struct bytes left;
    struct buffer from, to;
    bool has_from, has_to;
};

static int wrong(struct error *err, const char *what)
{
    return error_set(err, ERROR_USAGE, NULL, "%s", what);
}

static void skip(struct line *l, size_t count)
{
    l->left = bytes_make(l->left.data + count, l->left.size - count);
}

static void skip_blanks(struct line *l)
{
    while (l->left.size && memchr(" \t\r", l->left.data[0], 3))
        skip(l, 1);
}

/* Takes one character if it is there, blanks before it skipped. */
static bool take(struct line *l, char wanted)
{
    skip_blanks(l);
    if (!l->left.size || l->left.data[0] != (uint8_t)wanted)
        return false;
    skip(l, 1);
    return true;
}

static int hex_value(uint8_t digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    digit |= 0x20;
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* Reads the \uXXXX that `text` begins with; false if there is none. */
static bool read_unit(struct bytes text, uint32_t *unit)
{
    *unit = 0;
    if (text.size < 6 || text.data[0] != '\\' || text.data[1] != 'u')
        return false;
    for (size_t i = 2; i < 6; i++) {
        int value = hex_value(text.data[i]);

        if (value < 0)
            return false;
        *unit = *unit << 4 | (uint32_t)value;
    }
    return true;
}

/* Takes a \uXXXX, or two that make a pair. */
static int take_units(struct line *l, struct buffer *out, struct error *err)
{
    uint32_t point, trail;

    if (!read_unit(l->left, &point))
        return wrong(err, "\\u needs four hexadecimal digits");
    skip(l, 6);
    if (wtf8_is_lead(point) && read_unit(l->left, &trail) && wtf8_is_trail(trail)) {
        point = 0x10000 + ((point & 0x3ff) << 10) + (trail & 0x3ff);
        skip(l, 6);
    }
    return wtf8_append(out, point, err);
}

/* Takes a backslash and what it stands for. */
static int take_escape(struct line *l, struct buffer *out, struct error *err)
{
    static const char letters[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
    const char *found;

    if (l->left.size < 2)
        return wrong(err, "a string does not end");
    if (l->left.data[1] == 'u')
        return take_units(l, out, err);
    found = l->left.data[1] ? strchr(letters, l->left.data[1]) : NULL;
    if (!found)
        return wrong(err, "an unknown escape (a backslash in a path is written \\\\)");
    skip(l, 2);
    return buffer_append_byte(out, (uint8_t)bytes[found - letters], err);
}

static int take_string(struct line *l, struct buffer *out, struct error *err)
{
    if (!take(l, '"'))
        return wrong(err, "a string is missing");
    while (l->left.size && l->left.data[0] != '"') {
        uint8_t byte = l->left.data[0];

        if (byte < 0x20)
            return wrong(err, "a control character in a string");
        if (byte == '\\') {
            if (take_escape(l, out, err))
                return -1;
            continue;
        }
        if (buffer_append_byte(out, byte, err))
            return -1;
        skip(l, 1);
    }
    return take(l, '"') ? 0 : wrong(err, "a string does not end");
}

/* Takes "from": "..." or "to": "...". */
static int take_member(struct line *l, struct error *err)
{
    struct buffer key = {0};
    struct buffer *value = NULL;
    int failed = take_string(l, &key, err);

    if (!failed) {
        if (bytes_equal(buffer_bytes(&key), bytes_of("from")) && !l->has_from) {
            l->has_from = true;
            value = &l->from;
        } else if (bytes_equal(buffer_bytes(&key), bytes_of("to")) && !l->has_to) {
            l->has_to = true;
            value = &l->to;
        }
        if (!value)
            failed = wrong(err, "not one \"from\" and one \"to\"");
        else if (!take(l, ':'))
            failed = wrong(err, "a colon is missing");
        else
            failed = take_string(l, value, err);
    }
    buffer_release(&key);
    return failed;
}

static int read_line(struct line *l, struct error *err)
{
    if (!text_is_utf8(l->left))
        return wrong(err, "not valid UTF-8");
    if (!take(l, '{'))
        return wrong(err, "not an object: {\"from\": OLD, \"to\": NEW}");
    if (take_member(l, err))
        return -1;
    if (!take(l, ','))
        return wrong(err, "not one \"from\" and one \"to\"");
    if (take_member(l, err))
        return -1;
    if (!take(l, '}'))
        return wrong(err, "the object does not end behind its second member");
    skip_blanks(l);
    return l->left.size ? wrong(err, "something behind the object") : 0;
}

static int add_line(struct remap *m, struct bytes text, struct error *err)
{
    struct line l = {.left = text};
    int failed = 0;

    skip_blanks(&l);
    if (l.left.size) {
        failed = read_line(&l, err);
        if (!failed)
            failed = remap_add(m, buffer_bytes(&l.from), buffer_bytes(&l.to), err);
    }
    buffer_release(&l.from);
    buffer_release(&l.to);
    return failed;
}

/* Puts the line's number in front of what is wrong with it. */
static int at_line(struct error *err, size_t number)
{
    char detail[sizeof err->detail];

    if (!err || err->kind != ERROR_USAGE)
        return -1;
    memcpy(detail, err->detail, sizeof detail);
    return error_set(err, ERROR_USAGE, NULL, "line %zu: %s", number, detail);
}

int remap_add_file(struct remap *m, struct bytes content, struct error *err)
{
    static const char mark[] = "\xef\xbb\xbf";
    struct bytes left = content;
    size_t number = 0;

    /* Some editors of Windows begin a file with a byte order mark. */
    if (left.size >= 3 && !memcmp(left.data, mark, 3))
        left = bytes_make(left.data + 3, left.size - 3);
    while (left.size) {
        const uint8_t *end = memchr(left.data, '\n', left.size);
        size_t count = end ? (size_t)(end - left.data) : left.size;

        number++;
        if (add_line(m, bytes_make(left.data, count), err))
            return at_line(err, number);
        count += end ? 1 : 0;
        left = bytes_make(left.data + count, left.size - count);
    }
    return 0;
}
