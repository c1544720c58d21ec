/*
 * winname_escape.c: the escape of winname.h.
 */
#include "link/winname.h"

#include <string.h>

#include "base/wtf8.h"
#include "link/winname_parts.h"

/* U+F000 + n is the byte n; n = 0 never occurs. */
enum { ESCAPE_BASE = 0xf000, ESCAPE_FIRST = 0xf001, ESCAPE_LAST = 0xf0ff };

static bool is_escape(uint32_t point)
{
    return point >= ESCAPE_FIRST && point <= ESCAPE_LAST;
}

/* One character on its way into the escaped form. */
struct character {
    struct bytes bytes; /* one byte if it is none */
    uint32_t point;
    bool escaped;
};

/* Reads the character at `at` of the name. A trail surrogate behind a lead surrogate is none: the
 * two would be joined. */
static struct character character_at(struct bytes name, size_t at, bool after_lead)
{
    struct bytes rest = bytes_make(name.data + at, name.size - at);
    struct character c = {.bytes = rest};
    size_t count = wtf8_decode(rest, &c.point);

    if (!count || (after_lead && wtf8_is_trail(c.point))) {
        c.bytes.size = 1;
        c.point = rest.data[0];
        c.escaped = true;
        return c;
    }
    c.bytes.size = count;
    c.escaped = is_escape(c.point) || c.point < 0x20 ||
                (count == 1 && winname_is_refused((uint8_t)c.point));
    if (count == rest.size && (c.point == '.' || c.point == ' '))
        c.escaped = true;
    return c;
}

static int append(struct buffer *out, struct character c, struct error *err)
{
    if (!c.escaped)
        return buffer_append(out, c.bytes.data, c.bytes.size, err);
    for (size_t i = 0; i < c.bytes.size; i++) {
        if (wtf8_append(out, (uint32_t)ESCAPE_BASE + c.bytes.data[i], err))
            return -1;
    }
    return 0;
}

static int escape(struct buffer *out, struct bytes name, struct error *err)
{
    bool is_device = winname_is_device(name);
    bool after_lead = false;

    for (size_t at = 0; at < name.size;) {
        struct character c = character_at(name, at, after_lead);

        if (at == 0 && is_device)
            c.escaped = true;
        if (append(out, c, err))
            return -1;
        after_lead = !c.escaped && wtf8_is_lead(c.point);
        at += c.bytes.size;
    }
    return 0;
}

int winname_escape(struct buffer *out, struct bytes name, struct error *err)
{
    size_t start = out->size, units = 0;

    if (!winname_is_name(name))
        return error_set(err, ERROR_FORMAT, "escape name", "no name");
    if (!escape(out, name, err)) {
        /* What escape writes is valid: this only counts. */
        (void)wtf8_is_valid(bytes_make(out->data + start, out->size - start), &units);
        if (units <= WINNAME_UNITS)
            return 0;
        error_set(err, ERROR_LIMIT, "escape name", "%zu UTF-16 units when escaped, 255 at most",
                  units);
    }
    out->size = start;
    return -1;
}

int winname_escape_path(struct buffer *out, struct bytes path, struct error *err)
{
    size_t start = out->size;

    for (size_t at = 0; at < path.size;) {
        const uint8_t *part = path.data + at;
        const uint8_t *slash = memchr(part, '/', path.size - at);
        size_t count = slash ? (size_t)(slash - part) : path.size - at;

        if ((at && buffer_append_byte(out, '/', err)) ||
            winname_escape(out, bytes_make(part, count), err)) {
            out->size = start;
            return -1;
        }
        at += count + 1;
    }
    return 0;
}

/* Puts back the bytes that escapes stand for, wherever they stand. */
static int unescape(struct buffer *out, struct bytes name, struct error *err)
{
    while (name.size) {
        uint32_t point;
        size_t count = wtf8_decode(name, &point);
        int failed;

        if (!count)
            return error_set(err, ERROR_FORMAT, "unescape name", "not valid WTF-8");
        if (is_escape(point))
            failed = buffer_append_byte(out, (uint8_t)(point - ESCAPE_BASE), err);
        else
            failed = buffer_append(out, name.data, count, err);
        if (failed)
            return -1;
        name = bytes_make(name.data + count, name.size - count);
    }
    return 0;
}

int winname_unescape(struct buffer *out, struct bytes name, struct error *err)
{
    struct buffer plain = {0}, again = {0};
    int result = unescape(&plain, name, err);

    if (!result && winname_is_name(buffer_bytes(&plain)))
        result = escape(&again, buffer_bytes(&plain), err);
    if (!result && (!name.size || !bytes_equal(buffer_bytes(&again), name)))
        result = error_set(err, ERROR_FORMAT, "unescape name", "not an escaped name");
    if (!result)
        result = buffer_append(out, plain.data, plain.size, err);
    buffer_release(&plain);
    buffer_release(&again);
    return result;
}
