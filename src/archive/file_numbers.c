/*
 * file_numbers.c: a sorted list of words: half a hash of the file number, and the entry's number.
 */
#include "archive/file_numbers.h"

#include <stdlib.h>

#include "archive/index.h"

enum { ENTRY_BITS = 32 };

struct file_numbers {
    size_t count;
    uint64_t words[]; /* ascending: the hash in the upper half, the entry in the lower */
};

static uint64_t hash_of(const uint64_t file[2])
{
    uint64_t key[2] = {file[0], file[1]};

    return hash_key(key, sizeof key) >> ENTRY_BITS << ENTRY_BITS;
}

static int order_of(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* True if the content of the entry may be looked for. */
static bool is_wanted(const struct index_item *item)
{
    return !item->is_further && item->entry.kind == ENTRY_FILE && item->entry.has_data_hash &&
           !item->is_inexact && identity_is_known(&item->entry.identity);
}

static int gather(struct file_numbers *n, struct source *index, size_t room, struct error *err)
{
    uint64_t entries = index_source_tail(index)->index->entry_count;
    const struct index_item *item;

    for (uint64_t i = 0; i < entries && i <= UINT32_MAX && n->count < room; i++) {
        if (index_source_item(index, i, &item, err))
            return -1;
        if (is_wanted(item))
            n->words[n->count++] = hash_of(item->entry.identity.file) | i;
    }
    return 0;
}

int file_numbers_new(struct source *index, size_t most, struct file_numbers **out,
                     struct error *err)
{
    uint64_t entries = index_source_tail(index)->index->entry_count;
    size_t room = entries < most ? (size_t)entries : most;
    struct file_numbers *n = malloc(sizeof *n + room * sizeof *n->words);

    if (!n)
        return error_memory(err);
    n->count = 0;
    if (gather(n, index, room, err)) {
        file_numbers_free(n);
        return -1;
    }
    qsort(n->words, n->count, sizeof *n->words, order_of);
    *out = n;
    return 0;
}

void file_numbers_free(struct file_numbers *n)
{
    free(n);
}

/* How many words are less than one that has the hash and the least entry. */
static size_t first_of(const struct file_numbers *n, uint64_t hash)
{
    size_t low = 0, high = n->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (n->words[middle] < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int file_numbers_find(const struct file_numbers *n, const uint64_t file[2], size_t *place,
                      uint64_t *entry)
{
    uint64_t hash = hash_of(file);
    size_t at = *place != 0 ? *place : first_of(n, hash);

    if (at == n->count || n->words[at] >> ENTRY_BITS << ENTRY_BITS != hash)
        return 0;
    *entry = n->words[at] & UINT32_MAX;
    *place = at + 1;
    return 1;
}
