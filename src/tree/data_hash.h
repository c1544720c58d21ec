/*
 * data_hash.h: the hash of a content, made while its bytes pass by: XXH3-128 over the blocks of
 * 65,536 bytes (counted from the content's begin; the last may be shorter) that are not all zeros,
 * in order, each as its offset and length (8 bytes each, little-endian) and its bytes, and then the
 * content's size (8 bytes). How holes are laid out makes no difference.
 */
#ifndef HOLDFAST_TREE_DATA_HASH_H
#define HOLDFAST_TREE_DATA_HASH_H

#include "base/hash.h"

struct data_hasher;
MUST_CHECK int data_hasher_new(struct data_hasher **out, struct error *err);
/* One that is for contents of at most `size` bytes, and is as small as they are. */
MUST_CHECK int data_hasher_new_for(uint64_t size, struct data_hasher **out, struct error *err);
/* NULL is accepted. */
void data_hasher_free(struct data_hasher *h);

/* Begins a content of `size` logical bytes. */
void data_hasher_begin(struct data_hasher *h, uint64_t size);

/* Adds bytes at an offset, all of them inside the content and behind those before; what lies
 * between is zeros. */
void data_hasher_add(struct data_hasher *h, uint64_t offset, struct bytes bytes);

/* The hash of the whole; the next call is data_hasher_begin. */
struct hash128 data_hasher_result(struct data_hasher *h);

#endif
