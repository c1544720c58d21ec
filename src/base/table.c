/*
 * table.c: see table.h. Linear probing; removal moves the followers back, so that there are no
 * tombstones and a table that is filled and emptied for hours stays as fast as a new one; and it
 * moves the last record to where the one that goes stood.
 */
#include "base/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum { FIRST_CAPACITY = 16, STATE_FREE = 0, STATE_USED = 0x80, CHUNK = 64 };

static uint8_t *record_at(const struct table *t, size_t number)
{
    return t->chunks[number / CHUNK] + number % CHUNK * t->record_bytes;
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
        if (t->states[place] == state &&
            !memcmp(record_at(t, t->numbers[place]), key, t->key_bytes))
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
    for (size_t i = 0; i < t->chunk_count; i++)
        free(t->chunks[i]);
    free(t->chunks);
    free(t->numbers);
    free(t->states);
    table_init(t, t->record_bytes, t->key_bytes);
}

void *table_find(const struct table *t, const void *key)
{
    size_t place;

    if (!t->count)
        return NULL;
    place = probe(t, key, hash_key(key, t->key_bytes));
    return t->states[place] == STATE_FREE ? NULL : record_at(t, t->numbers[place]);
}

/* A free place for a hash whose key the index lacks. */
static size_t free_place(const struct table *t, uint64_t hash)
{
    size_t place = (size_t)hash & (t->capacity - 1);

    while (t->states[place] != STATE_FREE)
        place = (place + 1) & (t->capacity - 1);
    return place;
}

static int grow_index(struct table *t, struct error *err)
{
    struct table larger = *t;

    larger.capacity = t->capacity ? t->capacity * 2 : FIRST_CAPACITY;
    if (larger.capacity > UINT32_MAX)
        return error_memory(err);
    larger.numbers = malloc(larger.capacity * sizeof *larger.numbers);
    larger.states = calloc(larger.capacity, 1);
    if (!larger.numbers || !larger.states) {
        free(larger.numbers);
        free(larger.states);
        return error_memory(err);
    }
    for (size_t number = 0; number < t->count; number++) {
        uint64_t hash = hash_key(record_at(t, number), t->key_bytes);
        size_t place = free_place(&larger, hash);
        larger.states[place] = state_of(hash);
        larger.numbers[place] = (uint32_t)number;
    }
    free(t->numbers);
    free(t->states);
    *t = larger;
    return 0;
}

/* Makes room for one more record. */
static int grow_records(struct table *t, struct error *err)
{
    if (t->count < t->chunk_count * CHUNK)
        return 0;
    if (t->chunk_count == t->chunk_room) {
        size_t room = t->chunk_room ? t->chunk_room * 2 : 4;
        uint8_t **chunks = realloc(t->chunks, room * sizeof *chunks);
        if (!chunks)
            return error_memory(err);
        t->chunks = chunks;
        t->chunk_room = room;
    }
    uint8_t *chunk = malloc(CHUNK * t->record_bytes);
    if (!chunk)
        return error_memory(err);
    t->chunks[t->chunk_count++] = chunk;
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
            return record_at(t, t->numbers[place]);
    }
    if (grow_records(t, err))
        return NULL;
    if (t->count + 1 > t->capacity / 8 * 7) {
        if (grow_index(t, err))
            return NULL;
        place = free_place(t, hash);
    }
    t->states[place] = state_of(hash);
    t->numbers[place] = (uint32_t)t->count;
    record = record_at(t, t->count++);
    memcpy(record, key, t->key_bytes);
    memset(record + t->key_bytes, 0, t->record_bytes - t->key_bytes);
    return record;
}

/* Makes the place free, and moves those behind it that belong there. */
static void free_up(struct table *t, size_t hole)
{
    size_t mask = t->capacity - 1;

    for (size_t place = (hole + 1) & mask; t->states[place] != STATE_FREE;
         place = (place + 1) & mask) {
        const uint8_t *record = record_at(t, t->numbers[place]);
        size_t home = (size_t)hash_key(record, t->key_bytes) & mask;
        /* A record may move back as far as its home, and no further. */
        if (((place - home) & mask) < ((place - hole) & mask))
            continue;
        t->numbers[hole] = t->numbers[place];
        t->states[hole] = t->states[place];
        hole = place;
    }
    t->states[hole] = STATE_FREE;
}

void table_remove(struct table *t, const void *key)
{
    if (!t->count)
        return;
    size_t place = probe(t, key, hash_key(key, t->key_bytes));
    if (t->states[place] == STATE_FREE)
        return;
    uint8_t *gone = record_at(t, t->numbers[place]), *last = record_at(t, t->count - 1);
    if (gone != last) {
        t->numbers[probe(t, last, hash_key(last, t->key_bytes))] = t->numbers[place];
        memcpy(gone, last, t->record_bytes);
    }
    free_up(t, place);
    t->count--;
    /* One empty chunk is kept for the next record. */
    if (t->count + CHUNK <= (t->chunk_count - 1) * CHUNK)
        free(t->chunks[--t->chunk_count]);
}

void *table_next(const struct table *t, size_t *place)
{
    return *place < t->count ? record_at(t, (*place)++) : NULL;
}
