/*
 * pairs.h: an ordered list of name and value byte strings in one piece of memory: extended
 * attributes, pax records.
 */
#ifndef HOLDFAST_BASE_PAIRS_H
#define HOLDFAST_BASE_PAIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/* One pair, by offsets into `bytes`, so that growth does not move what callers hold an index of.
 * Names are followed by a NUL. */
struct pair_slot {
    size_t name_offset, name_bytes;
    size_t value_offset, value_bytes;
};

/* A zeroed struct is a valid empty list. */
struct pairs {
    struct buffer bytes;
    struct pair_slot *slots;
    size_t count;
    size_t capacity;
};

void pairs_release(struct pairs *p);
/* Forgets all pairs and keeps the memory. */
void pairs_clear(struct pairs *p);
/* Appends a copy of a pair. */
MUST_CHECK int pairs_append(struct pairs *p, struct bytes name, struct bytes value,
                            struct error *err);
/* Sorts by unsigned bytes of the name. */
void pairs_sort(struct pairs *p);
/* Borrowed bytes of pair `index`; the name is NUL-terminated. */
struct bytes pairs_name(const struct pairs *p, size_t index);
struct bytes pairs_value(const struct pairs *p, size_t index);
/* The index of the last pair of that name, or -1. */
ptrdiff_t pairs_find(const struct pairs *p, struct bytes name);
/* Replaces the content of `to` by a copy of `from`. */
MUST_CHECK int pairs_copy(struct pairs *to, const struct pairs *from, struct error *err);
/* True if both hold the same pairs in the same order. */
bool pairs_equal(const struct pairs *a, const struct pairs *b);

#endif
