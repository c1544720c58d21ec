/*
 * hash.c: see hash.h. The one file that includes xxhash.h, whose code is compiled in here: base/
 * links to nothing.
 */
#include "base/hash.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

struct hasher {
    XXH3_state_t *state;
};

static struct hash128 from_xxh(XXH128_hash_t hash)
{
    return (struct hash128){hash.low64, hash.high64};
}

struct hash128 hash_bytes(struct bytes b)
{
    return from_xxh(XXH3_128bits(b.data, b.size));
}

uint64_t hash_key(const void *key, size_t key_bytes)
{
    return XXH3_64bits(key, key_bytes);
}

int hasher_new(struct hasher **out, struct error *err)
{
    struct hasher *h = malloc(sizeof *h);

    if (!h)
        return error_memory(err);
    h->state = XXH3_createState();
    if (!h->state) {
        free(h);
        return error_memory(err);
    }
    hasher_reset(h);
    *out = h;
    return 0;
}

void hasher_free(struct hasher *h)
{
    if (!h)
        return;
    XXH3_freeState(h->state);
    free(h);
}

void hasher_reset(struct hasher *h)
{
    XXH3_128bits_reset(h->state);
}

void hasher_add(struct hasher *h, const void *bytes, size_t count)
{
    if (count)
        XXH3_128bits_update(h->state, bytes, count);
}

struct hash128 hasher_result(const struct hasher *h)
{
    return from_xxh(XXH3_128bits_digest(h->state));
}
