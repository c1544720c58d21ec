/*
 * ahead.c: see ahead.h.
 */
#include "disk/ahead.h"

#include <stdlib.h>

#include "os/parcels.h"
#include "os/thread.h"
#include "tree/pack.h"

enum { BLOCK_COUNT = 4, BLOCK_BYTES = 128 << 10 };

/* What is on its way. */
struct item {
    struct entry entry;
    bool loaded;
};

struct ahead {
    struct source source;
    struct source *inner;  /* the thread's, but for its facts */
    struct source *finder; /* the caller's */
    struct parcels *parcels;
    struct os_thread *thread;
    struct item *current;         /* that came last, or NULL */
    const struct entry *complete; /* of a further name: itself, as the finder loaded it */
    struct entry further;
    struct buffer skipped; /* path of a folder whose entries do not come; empty: none */
};

static struct ahead *ahead_of(struct source *s)
{
    return (struct ahead *)s;
}

/* ---- The thread ---- */

/* Sends an entry on its way. 1; 0 if the caller wants no more; -1. */
static int send(struct ahead *a, const struct item *item, struct error *err)
{
    struct packer packer = {0};
    struct item copy = *item, *packed;
    void *place;
    int room;

    pack(&packer, item, sizeof *item);
    pack_entry(&packer, &copy.entry);
    room = parcels_put(a->parcels, packer.used, &place, err);
    if (room != 1)
        return room;
    packer = (struct packer){.memory = place};
    packed = pack(&packer, item, sizeof *item);
    pack_entry(&packer, &packed->entry);
    return 1;
}

/* What was known when names were put together is not the walk's to tell. */
static void keep_names(struct entry *e, const struct entry *listed)
{
    e->link_count = listed->link_count;
    e->shared = e->shared || listed->shared;
    e->first_name = listed->first_name;
}

/* Reads the next entry. 1; 0 at the end or if the caller wants no more; -1. */
static int read_one(struct ahead *a, struct error *err)
{
    const struct entry *e;
    int more = source_next(a->inner, &e, err);
    struct item item;

    if (more != 1)
        return more;
    item = (struct item){.entry = *e};
    if (!entry_is_further_name(e)) {
        struct entry listed = *e;
        if (source_load(a->inner, &e, err))
            return -1;
        item = (struct item){.entry = *e, .loaded = true};
        keep_names(&item.entry, &listed);
    }
    return send(a, &item, err);
}

static void read_all(void *context)
{
    struct ahead *a = context;
    struct error failure = {0};

    while (read_one(a, &failure) == 1)
        ;
    parcels_end(a->parcels, &failure);
}

/* ---- The caller's side ---- */

/* True if the entry is in the folder that is skipped. */
static bool is_skipped(const struct ahead *a, const struct entry *e)
{
    return a->skipped.size && path_is_within(e->path, buffer_bytes(&a->skipped));
}

static int ahead_next(struct source *s, const struct entry **out, struct error *err)
{
    struct ahead *a = ahead_of(s);
    void *item = NULL;
    int more;

    do
        more = parcels_take(a->parcels, &item, err);
    while (more == 1 && is_skipped(a, &((struct item *)item)->entry));
    a->current = item;
    a->complete = NULL;
    buffer_clear(&a->skipped);
    if (more == 1)
        *out = &a->current->entry;
    return more;
}

/* A file that is written to stays the one that it was: it is read as it is now, and its time, which
 * was read before, tells the next run. */
static bool is_same(const struct entry *a, const struct entry *b)
{
    return a->kind == b->kind && identity_equal(&a->identity, &b->identity);
}

/* Finds what stands behind the entry that came last: 0, -1 if that is another object now. */
static int find(struct ahead *a, const struct entry **out, struct error *err)
{
    const struct entry *e = &a->current->entry;
    int found = source_find(a->finder, e->path, out, err);

    if (found < 0)
        return -1;
    if (found && is_same(*out, e))
        return 0;
    error_set(err, ERROR_CHANGED, "read", "something else took its place meanwhile");
    return error_at(err, (const char *)e->path.data, e->path.size);
}

static int ahead_load(struct source *s, const struct entry **out, struct error *err)
{
    struct ahead *a = ahead_of(s);
    const struct entry *e = &a->current->entry;

    *out = a->complete ? a->complete : e;
    if (a->complete || a->current->loaded)
        return 0;
    if (find(a, out, err) || source_load(a->finder, out, err))
        return -1;
    a->further = **out;
    keep_names(&a->further, e);
    *out = a->complete = &a->further;
    return 0;
}

static int ahead_open_data(struct source *s, struct data **out, struct error *err)
{
    struct ahead *a = ahead_of(s);
    const struct entry *found;

    return find(a, &found, err) ? -1 : source_open_data(a->finder, out, err);
}

static void ahead_skip(struct source *s)
{
    struct ahead *a = ahead_of(s);
    struct bytes path = a->current->entry.path;

    if (a->current->entry.kind != ENTRY_DIRECTORY)
        return;
    buffer_clear(&a->skipped);
    if (buffer_append(&a->skipped, path.data, path.size, NULL))
        buffer_clear(&a->skipped);
}

static const struct source_facts *ahead_facts(struct source *s)
{
    return source_facts(ahead_of(s)->inner);
}

static void ahead_close(struct source *s)
{
    struct ahead *a = ahead_of(s);
    struct error ignored = {0};
    void *item;

    if (a->thread) {
        parcels_stop(a->parcels);
        while (parcels_take(a->parcels, &item, &ignored) == 1)
            ;
        os_thread_join(a->thread);
        source_close(a->inner);
        source_close(a->finder);
    }
    error_release(&ignored);
    parcels_free(a->parcels);
    buffer_release(&a->skipped);
    free(a);
}

static const struct source_ops ahead_ops = {
    .next = ahead_next,
    .load = ahead_load,
    .skip = ahead_skip,
    .open_data = ahead_open_data,
    .facts = ahead_facts,
    .close = ahead_close,
};

int ahead_new(struct source *inner, struct source *finder, struct source **out, struct error *err)
{
    struct ahead *a = calloc(1, sizeof *a);

    if (!a)
        return error_memory(err);
    a->source.ops = &ahead_ops;
    a->inner = inner;
    a->finder = finder;
    if (parcels_new(BLOCK_COUNT, BLOCK_BYTES, &a->parcels, err) ||
        os_thread_start(read_all, a, &a->thread, err)) {
        ahead_close(&a->source);
        return -1;
    }
    *out = &a->source;
    return 0;
}
