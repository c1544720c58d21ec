/*
 * wtf8.c: see wtf8.h.
 */
#include "base/wtf8.h"

enum { PLANE_0_END = 0x10000, SURROGATE_BITS = 10, SURROGATE_MASK = 0x3ff };

size_t wtf8_decode(struct bytes text, uint32_t *point)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t lead = text.data[0];
    size_t count = lead < 0x80 ? 1 : lead < 0xc0 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    uint32_t value;

    if (count == 0 || lead > 0xf4 || count > text.size)
        return 0;
    if (count == 1) {
        *point = lead;
        return 1;
    }
    value = lead & (0x7fu >> count);
    for (size_t i = 1; i < count; i++) {
        if ((text.data[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (text.data[i] & 0x3fu);
    }
    if (value < least[count] || value > 0x10ffff)
        return 0;
    *point = value;
    return count;
}

int wtf8_append(struct buffer *out, uint32_t point, struct error *err)
{
    uint8_t bytes[4];
    size_t count = point < 0x80 ? 1 : point < 0x800 ? 2 : point < PLANE_0_END ? 3 : 4;
    static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};

    for (size_t i = count; i > 1; i--) {
        bytes[i - 1] = (uint8_t)(0x80 | (point & 0x3f));
        point >>= 6;
    }
    bytes[0] = (uint8_t)(lead[count] | point);
    return buffer_append(out, bytes, count, err);
}

bool wtf8_is_lead(uint32_t point)
{
    return point >= 0xd800 && point < 0xdc00;
}

bool wtf8_is_trail(uint32_t point)
{
    return point >= 0xdc00 && point < 0xe000;
}

bool wtf8_is_valid(struct bytes text, size_t *units)
{
    bool after_lead = false;
    size_t found = 0;

    while (text.size) {
        uint32_t point;
        size_t count = wtf8_decode(text, &point);

        if (!count || (after_lead && wtf8_is_trail(point)))
            return false;
        after_lead = wtf8_is_lead(point);
        found += point < PLANE_0_END ? 1 : 2;
        text = bytes_make(text.data + count, text.size - count);
    }
    if (units)
        *units = found;
    return true;
}

static uint16_t unit_at(struct bytes utf16, size_t at)
{
    return (uint16_t)(utf16.data[at] | utf16.data[at + 1] << 8);
}

int wtf8_from_utf16(struct buffer *out, struct bytes utf16, struct error *err)
{
    size_t start = out->size;

    if (utf16.size % 2)
        return error_set(err, ERROR_FORMAT, "decode UTF-16", "odd number of bytes");
    for (size_t i = 0; i < utf16.size; i += 2) {
        uint32_t point = unit_at(utf16, i);

        if (wtf8_is_lead(point) && i + 2 < utf16.size && wtf8_is_trail(unit_at(utf16, i + 2))) {
            i += 2;
            point = PLANE_0_END + ((point & SURROGATE_MASK) << SURROGATE_BITS) +
                    (unit_at(utf16, i) & (uint32_t)SURROGATE_MASK);
        }
        if (wtf8_append(out, point, err)) {
            out->size = start;
            return -1;
        }
    }
    return 0;
}

static int append_unit(struct buffer *out, uint32_t unit, struct error *err)
{
    const uint8_t bytes[2] = {(uint8_t)unit, (uint8_t)(unit >> 8)};

    return buffer_append(out, bytes, sizeof bytes, err);
}

static int append_units(struct buffer *out, uint32_t point, struct error *err)
{
    if (point < PLANE_0_END)
        return append_unit(out, point, err);
    point -= PLANE_0_END;
    if (append_unit(out, 0xd800 | point >> SURROGATE_BITS, err))
        return -1;
    return append_unit(out, 0xdc00 | (point & SURROGATE_MASK), err);
}

int wtf8_to_utf16(struct buffer *out, struct bytes text, struct error *err)
{
    size_t start = out->size;

    if (!wtf8_is_valid(text, NULL))
        return error_set(err, ERROR_FORMAT, "encode UTF-16", "not valid WTF-8");
    while (text.size) {
        uint32_t point;
        size_t count = wtf8_decode(text, &point);

        if (append_units(out, point, err)) {
            out->size = start;
            return -1;
        }
        text = bytes_make(text.data + count, text.size - count);
    }
    return 0;
}
