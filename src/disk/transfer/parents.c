/*
 * parents.c: the folders of first names, which further names are linked from: the names of one file
 * may lie anywhere, so as many folders are held open as the process may have. A folder stands in
 * one of a few places that its path's hash chooses, and takes the one that was not used for
 * longest. Whatever a folder is taken for, the link that is made from it is looked at (names.c).
 */
#include "disk/transfer/writers.h"

#include <stdlib.h>

#include "base/hash.h"

/* All else that a run holds open fits into 256 descriptors with these few (SAFETY R14), into 512
 * where it takes more, and into 1024 where contents are among it (writers.c). */
enum {
    OTHER_HANDLES = 512,
    OTHER_WITH_CONTENTS = 1024,
    PARENTS_FEWEST = 8,
    PARENTS_MOST = 8192,
    CHOICE = 4
};

struct parent_handle {
    struct hash128 key;
    os_handle folder;
    uint64_t used;     /* when it was used last, by a counter; 0: the place is free */
    uint64_t borrowed; /* writers_mark of that moment */
};

void parents_init(struct parents *p)
{
    size_t limit = os_handle_limit();
    size_t other = limit < WRITERS_HANDLES_MOST ? OTHER_HANDLES : OTHER_WITH_CONTENTS;
    size_t count = limit > other ? limit - other : 0;

    count = count < PARENTS_FEWEST ? PARENTS_FEWEST : count > PARENTS_MOST ? PARENTS_MOST : count;
    *p = (struct parents){.count = count / CHOICE * CHOICE};
}

bool parents_are_many(const struct parents *p)
{
    return p->count >= OTHER_HANDLES;
}

void parents_release(struct parents *p)
{
    for (size_t i = 0; p->items && i < p->count; i++) {
        if (p->items[i].used)
            os_close(p->items[i].folder);
    }
    free(p->items);
    p->items = NULL;
}

static bool is_folder(const struct parent_handle *p, const struct hash128 *key)
{
    return p->used && p->key.low == key->low && p->key.high == key->high;
}

/* Of its path relative to its anchor, which is worked in. */
struct hash128 parents_key(const struct run *r, const struct spot *spot)
{
    struct hash128 key = hash_bytes(spot->parent);

    key.high += (uint64_t)(spot->anchor - r->anchors);
    return key;
}

/* The place of the folder, or the one that it is to take: unused, or used for longest ago. NULL if
 * there is no memory. */
static struct parent_handle *place_of(struct parents *all, const struct hash128 *key)
{
    if (!all->items)
        all->items = calloc(all->count, sizeof *all->items);
    if (!all->items)
        return NULL;
    struct parent_handle *first = &all->items[key->low % (all->count / CHOICE) * CHOICE];
    struct parent_handle *oldest = first;
    for (struct parent_handle *p = first; p < first + CHOICE; p++) {
        if (is_folder(p, key))
            return p;
        if (p->used < oldest->used)
            oldest = p;
    }
    return oldest;
}

bool parents_keep(struct parents *all, const struct hash128 *key, os_handle folder)
{
    struct parent_handle *place = place_of(all, key);

    if (!place || place->used)
        return false;
    *place = (struct parent_handle){*key, folder, ++all->clock, 0};
    return true;
}

int parents_open(struct run *r, const struct spot *spot, os_handle *out, struct error *err)
{
    struct parents *all = &r->names.parents;
    struct hash128 key = parents_key(r, spot);
    struct parent_handle *place = place_of(all, &key);

    if (!place)
        return error_memory(err);
    if (is_folder(place, &key)) {
        place->used = ++all->clock;
        place->borrowed = writers_mark(r);
        *out = place->folder;
        return 0;
    }
    if (place->used) {
        if (writers_reach(r, place->borrowed, err))
            return -1;
        os_close(place->folder);
    }
    place->used = 0;
    if (position_open_parent(r, spot, &place->folder, err))
        return -1;
    *place = (struct parent_handle){key, place->folder, ++all->clock, writers_mark(r)};
    *out = place->folder;
    return 0;
}
