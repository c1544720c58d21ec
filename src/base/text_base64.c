/*
 * text_base64.c: base64 of text.h (RFC 4648 section 4). Each byte string has one text: padding bits
 * must be zero.
 */
#include "base/text.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int text_base64_encode(struct buffer *out, struct bytes b, struct error *err)
{
    uint8_t *at;

    if (!b.size)
        return 0;
    if (b.size > SIZE_MAX / 4)
        return error_memory(err);
    if (buffer_reserve(out, (b.size + 2) / 3 * 4, err))
        return -1;
    at = out->data + out->size;
    for (size_t i = 0; i < b.size; i += 3) {
        size_t left = b.size - i;
        uint32_t group = (uint32_t)b.data[i] << 16;
        if (left > 1)
            group |= (uint32_t)b.data[i + 1] << 8;
        if (left > 2)
            group |= b.data[i + 2];
        *at++ = (uint8_t)digits[group >> 18];
        *at++ = (uint8_t)digits[group >> 12 & 63];
        *at++ = left > 1 ? (uint8_t)digits[group >> 6 & 63] : '=';
        *at++ = left > 2 ? (uint8_t)digits[group & 63] : '=';
    }
    out->size += (b.size + 2) / 3 * 4;
    return 0;
}

static int value_of(uint8_t digit)
{
    if (digit >= 'A' && digit <= 'Z')
        return digit - 'A';
    if (digit >= 'a' && digit <= 'z')
        return digit - 'a' + 26;
    if (digit >= '0' && digit <= '9')
        return digit - '0' + 52;
    return digit == '+' ? 62 : digit == '/' ? 63 : -1;
}

/* Decodes four digits of which `padding` are '='. Returns -1 if they are not canonical. */
static int decode_group(const uint8_t *text, size_t padding, uint8_t bytes[3])
{
    uint32_t group = 0;

    for (size_t i = 0; i < 4; i++) {
        int value = i < 4 - padding ? value_of(text[i]) : 0;
        if (value < 0)
            return -1;
        group = group << 6 | (uint32_t)value;
    }
    if (group & ((1u << (8 * padding)) - 1))
        return -1;
    bytes[0] = (uint8_t)(group >> 16);
    bytes[1] = (uint8_t)(group >> 8);
    bytes[2] = (uint8_t)group;
    return 0;
}

int text_base64_decode(struct buffer *out, struct bytes b, struct error *err)
{
    size_t padding = 0;
    size_t start = out->size;

    if (b.size % 4)
        return error_set(err, ERROR_FORMAT, "decode", "malformed base64");
    if (b.size && b.data[b.size - 1] == '=')
        padding = b.data[b.size - 2] == '=' ? 2 : 1;
    if (buffer_reserve(out, b.size / 4 * 3, err))
        return -1;
    for (size_t i = 0; i < b.size; i += 4) {
        size_t missing = i + 4 == b.size ? padding : 0;
        if (decode_group(b.data + i, missing, out->data + out->size)) {
            out->size = start;
            return error_set(err, ERROR_FORMAT, "decode", "malformed base64");
        }
        out->size += 3 - missing;
    }
    return 0;
}
