/*
 * buffer.h: bytes that grow. The one dynamic byte string of the program.
 */
#ifndef HOLDFAST_BASE_BUFFER_H
#define HOLDFAST_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* A zeroed struct is a valid empty buffer. `data` is NULL while `capacity` is 0. */
struct buffer {
    uint8_t *data;
    size_t size;     /* bytes in use */
    size_t capacity; /* bytes allocated */
};

/* Borrowed bytes with a length: names, targets, values. `data` may be NULL when `size` is 0. */
struct bytes {
    const uint8_t *data;
    size_t size;
};

/* The bytes of a C string without its NUL. */
struct bytes bytes_of(const char *text);
/* Borrowed bytes from a pointer and a length. */
struct bytes bytes_make(const void *data, size_t size);
/* Unsigned bytewise order as memcmp, a prefix before what it begins: the canonical order of names.
 */
int bytes_compare(struct bytes a, struct bytes b);
bool bytes_equal(struct bytes a, struct bytes b);

/* Frees the bytes and zeroes the struct. */
void buffer_release(struct buffer *b);

/* Forgets the content and keeps the memory. */
void buffer_clear(struct buffer *b);

/* Makes room for `more` bytes behind `size`. */
MUST_CHECK int buffer_reserve(struct buffer *b, size_t more, struct error *err);

/* Appends bytes; `bytes` may be NULL when `count` is 0. */
MUST_CHECK int buffer_append(struct buffer *b, const void *bytes, size_t count, struct error *err);

/* The content as borrowed bytes, until the next change. */
struct bytes buffer_bytes(const struct buffer *b);

/* Appends one byte. */
MUST_CHECK int buffer_append_byte(struct buffer *b, uint8_t byte, struct error *err);

/* Appends a NUL that is not counted in `size`, so that `data` can be used as a C string until the
 * next change. */
MUST_CHECK int buffer_terminate(struct buffer *b, struct error *err);

/* Appends little-endian integers. */
MUST_CHECK int buffer_append_u32(struct buffer *b, uint32_t value, struct error *err);
MUST_CHECK int buffer_append_u64(struct buffer *b, uint64_t value, struct error *err);

/* Appends LEB128: seven bits a byte, low bits first. */
MUST_CHECK int buffer_append_varint(struct buffer *b, uint64_t value, struct error *err);

/* Appends a varint length and the bytes. */
MUST_CHECK int buffer_append_string(struct buffer *b, struct bytes text, struct error *err);

/* A bounds-checked reader over borrowed bytes: every take fails with ERROR_FORMAT instead of
 * reading past the end. */
struct cursor {
    const uint8_t *at;
    size_t left; /* bytes */
};
MUST_CHECK int cursor_take(struct cursor *c, size_t count, struct bytes *out, struct error *err);
MUST_CHECK int cursor_u32(struct cursor *c, uint32_t *value, struct error *err);
MUST_CHECK int cursor_u64(struct cursor *c, uint64_t *value, struct error *err);
MUST_CHECK int cursor_varint(struct cursor *c, uint64_t *value, struct error *err);
MUST_CHECK int cursor_string(struct cursor *c, struct bytes *out, struct error *err);

#endif
