/*
 * table.c: see table.h. Linear probing; removal moves the followers back, so that there are no
 * tombstones and a table that is filled and emptied for hours stays as fast as a new one.
 */
#include "base/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum { FIRST_CAPACITY = 16, STATE_FREE = 0, STATE_USED = 0x80 };

static uint8_t *record_at(const struct table *t, size_t place)
{
    return t->records + place * t->record_bytes;
}

static uint8_t state_of(uint64_t hash)
{
    return (uint8_t)(STATE_USED | (hash >> 57));
}

/* The place of the key, or the free place where it belongs. There is always a free place. */
static size_t probe(const struct table *t, const void *key, uint64_t hash)
{
    uint8_t state = state_of(hash);
    size_t place = (size_t)hash & (t->capacity - 1);

    while (t->states[place] != STATE_FREE) {
        if (t->states[place] == state && !memcmp(record_at(t, place), key, t->key_bytes))
            return place;
        place = (place + 1) & (t->capacity - 1);
    }
    return place;
}

void table_init(struct table *t, size_t record_bytes, size_t key_bytes)
{
    *t = (struct table){.record_bytes = record_bytes, .key_bytes = key_bytes};
}

void table_release(struct table *t)
{
    if (!t)
        return;
    free(t->records);
    free(t->states);
    table_init(t, t->record_bytes, t->key_bytes);
}

void *table_find(const struct table *t, const void *key)
{
    size_t place;

    if (!t->count)
        return NULL;
    place = probe(t, key, hash_key(key, t->key_bytes));
    return t->states[place] == STATE_FREE ? NULL : record_at(t, place);
}

static int grow(struct table *t, struct error *err)
{
    struct table larger = *t;
    size_t old = 0;
    const uint8_t *record;

    larger.capacity = t->capacity ? t->capacity * 2 : FIRST_CAPACITY;
    if (larger.capacity > SIZE_MAX / 2 / t->record_bytes)
        return error_memory(err);
    larger.records = malloc(larger.capacity * t->record_bytes);
    larger.states = calloc(larger.capacity, 1);
    if (!larger.records || !larger.states) {
        free(larger.records);
        free(larger.states);
        return error_memory(err);
    }
    while ((record = table_next(t, &old))) {
        uint64_t hash = hash_key(record, t->key_bytes);
        size_t place = probe(&larger, record, hash);
        larger.states[place] = state_of(hash);
        memcpy(record_at(&larger, place), record, t->record_bytes);
    }
    free(t->records);
    free(t->states);
    *t = larger;
    return 0;
}

void *table_add(struct table *t, const void *key, struct error *err)
{
    uint64_t hash = hash_key(key, t->key_bytes);
    size_t place = 0;
    uint8_t *record;

    if (t->capacity) {
        place = probe(t, key, hash);
        if (t->states[place] != STATE_FREE)
            return record_at(t, place);
    }
    if (t->count + 1 > t->capacity / 8 * 7) {
        if (grow(t, err))
            return NULL;
        place = probe(t, key, hash);
    }
    t->states[place] = state_of(hash);
    t->count++;
    record = record_at(t, place);
    memcpy(record, key, t->key_bytes);
    memset(record + t->key_bytes, 0, t->record_bytes - t->key_bytes);
    return record;
}

void table_remove(struct table *t, const void *key)
{
    size_t mask = t->capacity - 1;
    size_t hole, place;

    if (!t->count)
        return;
    hole = probe(t, key, hash_key(key, t->key_bytes));
    if (t->states[hole] == STATE_FREE)
        return;
    for (place = (hole + 1) & mask; t->states[place] != STATE_FREE; place = (place + 1) & mask) {
        size_t home = (size_t)hash_key(record_at(t, place), t->key_bytes) & mask;
        /* A record may move back as far as its home, and no further. */
        if (((place - home) & mask) < ((place - hole) & mask))
            continue;
        memcpy(record_at(t, hole), record_at(t, place), t->record_bytes);
        t->states[hole] = t->states[place];
        hole = place;
    }
    t->states[hole] = STATE_FREE;
    t->count--;
}

void *table_next(const struct table *t, size_t *place)
{
    while (*place < t->capacity) {
        size_t here = (*place)++;
        if (t->states[here] != STATE_FREE)
            return record_at(t, here);
    }
    return NULL;
}
