#include "archive/foreign_name.h"

#include "base/text.h"

/* In UTF-8 an escape is EE, BE or BF, and a byte from 80 to BF. */
enum { ESCAPE_LEAD = 0xee, ESCAPE_SECOND = 0xbe, ESCAPE_BYTES = 3 };

static bool is_escape(struct bytes b)
{
    return b.size >= ESCAPE_BYTES && b.data[0] == ESCAPE_LEAD &&
           (b.data[1] & ~1) == ESCAPE_SECOND && (b.data[2] & 0xc0) == 0x80;
}

/* How many bytes at the beginning of `b`, which is not empty, are one character that stands for
 * itself; 0 if there is none. */
static size_t plain_bytes(struct bytes b)
{
    for (size_t size = 1; size <= 4 && size <= b.size; size++) {
        if (text_is_utf8(bytes_make(b.data, size)))
            return is_escape(b) ? 0 : size;
    }
    return 0;
}

int foreign_name_escape(struct buffer *out, struct bytes name, struct error *err)
{
    buffer_clear(out);
    while (name.size != 0) {
        size_t taken = plain_bytes(name);
        const uint8_t escape[ESCAPE_BYTES] = {ESCAPE_LEAD,
                                              (uint8_t)(ESCAPE_SECOND | (name.data[0] >> 6 & 1)),
                                              (uint8_t)(0x80 | (name.data[0] & 0x3f))};

        if (taken != 0 ? buffer_append(out, name.data, taken, err)
                       : buffer_append(out, escape, sizeof escape, err))
            return -1;
        taken += taken == 0;
        name = bytes_make(name.data + taken, name.size - taken);
    }
    return buffer_terminate(out, err);
}

int foreign_name_unescape(struct buffer *out, struct bytes name, struct error *err)
{
    buffer_clear(out);
    while (name.size != 0) {
        bool escape = is_escape(name);
        size_t taken = escape ? ESCAPE_BYTES : 1;
        uint8_t byte = escape ? (uint8_t)(0x80 | (name.data[1] & 1) << 6 | (name.data[2] & 0x3f))
                              : name.data[0];

        if (buffer_append_byte(out, byte, err) != 0)
            return -1;
        name = bytes_make(name.data + taken, name.size - taken);
    }
    return buffer_terminate(out, err);
}
