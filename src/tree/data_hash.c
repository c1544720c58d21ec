/*
 * data_hash.c: whole blocks are hashed where they stand; only pieces are put together.
 */
#include "tree/data_hash.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 64 * 1024 };

struct data_hasher {
    struct hasher *hasher;
    uint64_t size;
    uint64_t at;     /* where the block begins that is being put together */
    bool is_open;    /* there is one; what was not added of it is zeros */
    uint8_t block[]; /* BLOCK_BYTES or the largest content */
};

int data_hasher_new(struct data_hasher **out, struct error *err)
{
    return data_hasher_new_for(BLOCK_BYTES, out, err);
}

int data_hasher_new_for(uint64_t size, struct data_hasher **out, struct error *err)
{
    size_t block = size < BLOCK_BYTES ? (size_t)size : BLOCK_BYTES;
    struct data_hasher *h = malloc(sizeof *h + block);

    if (h == NULL)
        return error_memory(err);
    if (hasher_new(&h->hasher, err) != 0) {
        free(h);
        return -1;
    }
    data_hasher_begin(h, 0);
    *out = h;
    return 0;
}

void data_hasher_free(struct data_hasher *h)
{
    if (h == NULL)
        return;
    hasher_free(h->hasher);
    free(h);
}

void data_hasher_begin(struct data_hasher *h, uint64_t size)
{
    hasher_reset(h->hasher);
    h->size = size;
    h->is_open = false;
}

static bool is_zero(const uint8_t *bytes, size_t count)
{
    return count == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, count - 1) == 0);
}

static void put_u64(uint8_t *at, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

/* Bytes of the block that begins there. */
static size_t block_bytes(const struct data_hasher *h, uint64_t at)
{
    return h->size - at < BLOCK_BYTES ? (size_t)(h->size - at) : BLOCK_BYTES;
}

static void add_block(struct data_hasher *h, uint64_t at, const uint8_t *bytes)
{
    size_t count = block_bytes(h, at);
    uint8_t head[16];

    if (is_zero(bytes, count))
        return;
    put_u64(head, at);
    put_u64(head + 8, count);
    hasher_add(h->hasher, head, sizeof head);
    hasher_add(h->hasher, bytes, count);
}

static void close_block(struct data_hasher *h)
{
    if (h->is_open)
        add_block(h, h->at, h->block);
    h->is_open = false;
}

void data_hasher_add(struct data_hasher *h, uint64_t offset, struct bytes bytes)
{
    while (bytes.size != 0) {
        uint64_t at = offset - offset % BLOCK_BYTES;
        size_t within = (size_t)(offset - at), whole = block_bytes(h, at);
        size_t part = whole - within < bytes.size ? whole - within : bytes.size;

        if (h->is_open && h->at != at)
            close_block(h);
        if (part == whole) {
            add_block(h, at, bytes.data);
        } else {
            if (!h->is_open)
                memset(h->block, 0, whole);
            h->is_open = true;
            h->at = at;
            memcpy(h->block + within, bytes.data, part);
        }
        offset += part;
        bytes = bytes_make(bytes.data + part, bytes.size - part);
    }
}

struct hash128 data_hasher_result(struct data_hasher *h)
{
    uint8_t size[8];

    close_block(h);
    put_u64(size, h->size);
    hasher_add(h->hasher, size, sizeof size);
    return hasher_result(h->hasher);
}
