/*
 * data.c: contents compared and hashed, without reading what is a hole. Part of diff.h.
 */
#include <stdlib.h>
#include <string.h>

#include "tree/data_hash.h"
#include "tree/diff.h"

enum { COMPARE_BLOCK = 128 * 1024, HASH_BLOCK = 128 * 1024 };

static bool is_zero(const uint8_t *bytes, size_t count)
{
    return count == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, count - 1) == 0);
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* A content that is gone through from its start to its end. */
struct passage {
    struct data *data;
    size_t extent; /* the first that ends behind the place */
};

/* What lies at a place, and how far the same goes on. */
struct stretch {
    bool hole;
    uint64_t end;
};

static struct stretch passage_at(struct passage *p, uint64_t place)
{
    const struct data *d = p->data;
    while (p->extent < d->extent_count &&
           d->extents[p->extent].offset + d->extents[p->extent].length <= place)
        p->extent++;
    if (p->extent == d->extent_count)
        return (struct stretch){.hole = true, .end = d->size};
    const struct extent *e = &d->extents[p->extent];
    if (e->offset > place)
        return (struct stretch){.hole = true, .end = smaller(e->offset, d->size)};
    return (struct stretch){.hole = false, .end = smaller(e->offset + e->length, d->size)};
}

static int read_whole(struct data *d, uint64_t offset, struct data_span span, struct error *err)
{
    size_t have = 0;
    while (have < span.capacity) {
        struct data_span rest = {(uint8_t *)span.bytes + have, span.capacity - have};
        size_t got = 0;
        if (data_read(d, offset + have, rest, &got, err) != 0)
            return -1;
        if (got == 0)
            return error_set(err, ERROR_CHANGED, "read", "the content is shorter than it was");
        have += got;
    }
    return 0;
}

struct comparison {
    struct passage sides[2];
    uint8_t *blocks[2]; /* COMPARE_BLOCK each */
    int *failed;
};

/* Compares `count` bytes at `place`, where neither side changes between data and hole and one at
 * least has data. */
static int compare_block(struct comparison *c, uint64_t place, size_t count, const bool holes[2],
                         struct error *err)
{
    for (int side = 0; side < 2; side++) {
        struct data_span span = {c->blocks[side], count};
        if (!holes[side] && read_whole(c->sides[side].data, place, span, err) != 0) {
            *c->failed = side;
            return -1;
        }
    }
    if (holes[0] || holes[1])
        return is_zero(c->blocks[holes[0] ? 1 : 0], count);
    return memcmp(c->blocks[0], c->blocks[1], count) == 0;
}

static int compare_all(struct comparison *c, uint64_t size, struct error *err)
{
    uint64_t place = 0;
    while (place < size) {
        struct stretch a = passage_at(&c->sides[0], place), b = passage_at(&c->sides[1], place);
        uint64_t end = smaller(smaller(a.end, b.end), size);
        if (a.hole && b.hole) {
            place = end;
            continue;
        }
        size_t count = (size_t)smaller(end - place, COMPARE_BLOCK);
        int equal = compare_block(c, place, count, (bool[2]){a.hole, b.hole}, err);
        if (equal <= 0)
            return equal;
        place += count;
    }
    return 1;
}

int data_compare(struct data *want, struct data *have, int *failed, struct error *err)
{
    if (want->size != have->size)
        return 0;
    uint8_t *blocks = malloc((size_t)2 * COMPARE_BLOCK);
    if (blocks == NULL) {
        *failed = 0;
        return error_memory(err);
    }
    struct comparison c = {
        .sides = {{.data = want}, {.data = have}},
        .blocks = {blocks, blocks + COMPARE_BLOCK},
        .failed = failed,
    };
    int result = compare_all(&c, want->size, err);
    free(blocks);
    return result;
}

/* Adds what one extent holds; what a file is cut to while it is read is an error. */
static int hash_extent(struct data_hasher *h, struct data *d, struct extent x,
                       struct data_span block, struct error *err)
{
    while (x.length != 0) {
        size_t count = (size_t)smaller(x.length, block.capacity);
        if (read_whole(d, x.offset, (struct data_span){block.bytes, count}, err) != 0)
            return -1;
        data_hasher_add(h, x.offset, bytes_make(block.bytes, count));
        x.offset += count;
        x.length -= count;
    }
    return 0;
}

int data_hash(struct data *d, struct hash128 *out, struct error *err)
{
    struct data_hasher *h = NULL;
    int result = -1;
    /* Most contents are small. */
    struct data_span block = {.capacity = (size_t)smaller(d->size, HASH_BLOCK) + 1};
    block.bytes = malloc(block.capacity);
    if (block.bytes == NULL) {
        error_memory(err);
        goto out;
    }
    if (data_hasher_new_for(d->size, &h, err) != 0)
        goto out;
    data_hasher_begin(h, d->size);
    for (size_t i = 0; i < d->extent_count; i++)
        if (hash_extent(h, d, d->extents[i], block, err) != 0)
            goto out;
    *out = data_hasher_result(h);
    result = 0;
out:
    data_hasher_free(h);
    free(block.bytes);
    return result;
}
