/*
 * hash.h: XXH3-128 (xxHash 0.8), the program's only content and key hash. Not for secrets.
 */
#ifndef HOLDFAST_BASE_HASH_H
#define HOLDFAST_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

struct hash128 {
    uint64_t low, high;
};

/* The hash of bytes in memory. */
struct hash128 hash_bytes(struct bytes b);

/* The 64-bit hash of a key (XXH3-64), for tables in memory. */
uint64_t hash_key(const void *key, size_t key_bytes);

/* The hash of a stream of bytes. */
struct hasher;
MUST_CHECK int hasher_new(struct hasher **out, struct error *err);
void hasher_free(struct hasher *h);
/* Begins anew. */
void hasher_reset(struct hasher *h);
void hasher_add(struct hasher *h, const void *bytes, size_t count);
struct hash128 hasher_result(const struct hasher *h);

#endif
