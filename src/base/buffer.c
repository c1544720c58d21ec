/*
 * buffer.c: see buffer.h. The writers stand beside the readers that take back what they wrote.
 */
#include "base/buffer.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 64, VARINT_BYTES = 10 };

struct bytes bytes_of(const char *text)
{
    return bytes_make(text, strlen(text));
}

struct bytes bytes_make(const void *data, size_t size)
{
    return (struct bytes){data, size};
}

int bytes_compare(struct bytes a, struct bytes b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common ? memcmp(a.data, b.data, common) : 0;

    return order ? order : (a.size > b.size) - (a.size < b.size);
}

bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.size == b.size && (!a.size || !memcmp(a.data, b.data, a.size));
}

void buffer_release(struct buffer *b)
{
    if (!b)
        return;
    free(b->data);
    *b = (struct buffer){0};
}

void buffer_clear(struct buffer *b)
{
    b->size = 0;
}

int buffer_reserve(struct buffer *b, size_t more, struct error *err)
{
    size_t wanted, capacity;
    uint8_t *data;

    if (more <= b->capacity - b->size)
        return 0;
    if (more > SIZE_MAX / 2 - b->size)
        return error_memory(err);
    wanted = b->size + more;
    capacity = b->capacity < FIRST_CAPACITY ? FIRST_CAPACITY : b->capacity * 2;
    if (capacity < wanted)
        capacity = wanted;
    data = realloc(b->data, capacity);
    if (!data)
        return error_memory(err);
    b->data = data;
    b->capacity = capacity;
    return 0;
}

int buffer_append(struct buffer *b, const void *bytes, size_t count, struct error *err)
{
    if (!count)
        return 0;
    if (buffer_reserve(b, count, err))
        return -1;
    memcpy(b->data + b->size, bytes, count);
    b->size += count;
    return 0;
}

struct bytes buffer_bytes(const struct buffer *b)
{
    return bytes_make(b->data, b->size);
}

int buffer_append_byte(struct buffer *b, uint8_t byte, struct error *err)
{
    return buffer_append(b, &byte, 1, err);
}

int buffer_terminate(struct buffer *b, struct error *err)
{
    if (buffer_reserve(b, 1, err))
        return -1;
    b->data[b->size] = 0;
    return 0;
}

int buffer_append_u32(struct buffer *b, uint32_t value, struct error *err)
{
    uint8_t bytes[4];

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    return buffer_append(b, bytes, sizeof bytes, err);
}

int buffer_append_u64(struct buffer *b, uint64_t value, struct error *err)
{
    uint8_t bytes[8];

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    return buffer_append(b, bytes, sizeof bytes, err);
}

int buffer_append_varint(struct buffer *b, uint64_t value, struct error *err)
{
    uint8_t bytes[VARINT_BYTES];
    size_t count = 0;

    while (value >= 0x80) {
        bytes[count++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    bytes[count++] = (uint8_t)value;
    return buffer_append(b, bytes, count, err);
}

int buffer_append_string(struct buffer *b, struct bytes text, struct error *err)
{
    if (buffer_append_varint(b, text.size, err))
        return -1;
    return buffer_append(b, text.data, text.size, err);
}

int cursor_take(struct cursor *c, size_t count, struct bytes *out, struct error *err)
{
    if (count > c->left)
        return error_set(err, ERROR_FORMAT, "read", "data ends early");
    *out = bytes_make(c->at, count);
    if (count)
        c->at += count;
    c->left -= count;
    return 0;
}

int cursor_u32(struct cursor *c, uint32_t *value, struct error *err)
{
    struct bytes taken = {0};
    uint32_t sum = 0;

    if (cursor_take(c, 4, &taken, err))
        return -1;
    for (size_t i = 0; i < 4; i++)
        sum |= (uint32_t)taken.data[i] << (8 * i);
    *value = sum;
    return 0;
}

int cursor_u64(struct cursor *c, uint64_t *value, struct error *err)
{
    struct bytes taken = {0};
    uint64_t sum = 0;

    if (cursor_take(c, 8, &taken, err))
        return -1;
    for (size_t i = 0; i < 8; i++)
        sum |= (uint64_t)taken.data[i] << (8 * i);
    *value = sum;
    return 0;
}

int cursor_varint(struct cursor *c, uint64_t *value, struct error *err)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < c->left && i < VARINT_BYTES; i++) {
        uint8_t byte = c->at[i];
        /* Each number has one encoding: no bits past the 64th, no idle zero at the end. */
        if ((i == VARINT_BYTES - 1 && byte > 1) || (i && !byte))
            return error_set(err, ERROR_FORMAT, "read", "malformed number");
        sum |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            c->at += i + 1;
            c->left -= i + 1;
            *value = sum;
            return 0;
        }
    }
    return error_set(err, ERROR_FORMAT, "read", "data ends early");
}

int cursor_string(struct cursor *c, struct bytes *out, struct error *err)
{
    uint64_t count;

    if (cursor_varint(c, &count, err))
        return -1;
    if (count > c->left)
        return error_set(err, ERROR_FORMAT, "read", "data ends early");
    return cursor_take(c, (size_t)count, out, err);
}
