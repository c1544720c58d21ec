/*
 * table.h: a hash table of fixed-size records, each beginning with its key. Records stand one
 * behind the other in chunks, beside an index of open addressing, at most 7/8 full, of 5 bytes a
 * place: a million records take little more than their bytes, and none is copied as the table
 * grows. Made for identities and path hashes.
 */
#ifndef HOLDFAST_BASE_TABLE_H
#define HOLDFAST_BASE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct table {
    uint8_t **chunks; /* of records, one behind the other */
    size_t chunk_count;
    size_t chunk_room; /* chunks that `chunks` has room for */
    uint32_t *numbers; /* by place: which record */
    uint8_t *states;   /* by place: free, or 7 bits of the hash */
    size_t record_bytes;
    size_t key_bytes; /* the key is the first key_bytes of a record; padding inside it must be
                         zeroed */
    size_t count;
    size_t capacity; /* places: 0 or a power of two */
};

/* Prepares an empty table; allocates nothing. */
void table_init(struct table *t, size_t record_bytes, size_t key_bytes);
/* Frees the records; the table is empty and can be used again. */
void table_release(struct table *t);
/* The record with that key, or NULL. Borrowed until the next add or remove. */
void *table_find(const struct table *t, const void *key);
/* The record with that key, made (key set, the rest zeroed) if there was none; NULL and
 * ERROR_MEMORY on failure. */
MUST_CHECK void *table_add(struct table *t, const void *key, struct error *err);
/* Removes the record with that key, if there is one. */
void table_remove(struct table *t, const void *key);
/* Iteration in no order: pass *place = 0 first; NULL at the end. Nothing may be added or removed
 * meanwhile. */
void *table_next(const struct table *t, size_t *place);

#endif
