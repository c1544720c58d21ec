/*
 * intake.c: see intake.h. Items are packed, with all that they point to, into parcels, which pass
 * from thread to thread without an allocation an entry.
 */
#include "archive/intake.h"

#include <stdlib.h>

#include "archive/tar.h"
#include "base/table.h"
#include "os/parcels.h"
#include "os/thread.h"
#include "tree/pack.h"

enum {
    BLOCK_COUNT = 4,
    BLOCK_BYTES = 512 << 10,
    READ_BYTES = 128 << 10, /* the largest content that is read ahead */
    OPEN_MOST = 8,          /* files that a block holds open */
};

struct intake {
    struct source *source;
    struct intake_options options;
    struct parcels *parcels;
    struct os_thread *thread;

    /* Of whoever takes in. */
    size_t open_count;     /* files that are open since the last block was passed on, at most */
    bool has_begun;        /* an entry went into the archive that no base can have */
    struct buffer content; /* of one file, and what goes with it: */
    struct reading reading;
    struct data shape;
    struct stored_content stored;
    struct error trouble;
    struct table missed; /* first names, hashed, that cannot be had */

    struct intake_item *current; /* the caller's, or NULL */
};

/* ---- Packing ---- */

static const struct extent *pack_extents(struct packer *p, const struct extent *extents,
                                         size_t count)
{
    return pack(p, extents, count * sizeof *extents);
}

static const struct reading *pack_reading(struct packer *p, const struct reading *r)
{
    struct reading *packed = pack(p, r, sizeof *r);

    pack_error_path(p, &r->trouble, &packed->trouble);
    return packed;
}

static struct data *pack_shape(struct packer *p, const struct data *shape)
{
    struct data *packed = pack(p, shape, sizeof *shape);
    const struct extent *extents = pack_extents(p, shape->extents, shape->extent_count);

    if (p->memory)
        packed->extents = extents;
    return packed;
}

static const struct stored_content *pack_stored(struct packer *p, const struct stored_content *c)
{
    struct stored_content *packed = c ? pack(p, c, sizeof *c) : NULL;
    const struct extent *extents =
        c ? pack_extents(p, c->place.extents, c->place.extent_count) : NULL;

    if (p->memory && packed)
        packed->place.extents = extents;
    return packed;
}

/* Packs all that the item points to and points it there. */
static void pack_item(struct packer *p, struct intake_item *item)
{
    pack_entry(p, &item->entry);
    item->trouble = pack_error(p, item->trouble);
    item->stored = pack_stored(p, item->stored);
    if (item->content != INTAKE_READ)
        return;
    item->reading = pack_reading(p, item->reading);
    item->data = pack_shape(p, item->data);
    item->bytes = pack_bytes(p, item->bytes);
}

/* Puts an item on its way. 1; 0 if the caller wants no more; -1. What it holds open goes with it,
 * or stays the caller's. */
static int send(struct intake *in, struct intake_item *item, struct error *err)
{
    struct packer packer = {0};
    struct intake_item copy = *item;
    void *place;
    int room;

    pack(&packer, item, sizeof *item);
    pack_item(&packer, &copy);
    room = parcels_put(in->parcels, packer.used, &place, err);
    if (room != 1)
        return room;
    packer = (struct packer){.memory = place};
    pack_item(&packer, pack(&packer, item, sizeof *item));
    in->open_count += item->content == INTAKE_OPEN;
    if (in->open_count == OPEN_MOST) {
        in->open_count = 0;
        parcels_pass(in->parcels);
    }
    return 1;
}

/* ---- Taking in ---- */

static bool is_usable(const struct entry *e)
{
    return e->problem_scope == PROBLEM_NONE || e->problem_scope == PROBLEM_METADATA;
}

/* Whether a further name has to stand in for the first one. */
static bool must_stand_in(struct intake *in, const struct entry *e)
{
    struct hash128 key = hash_bytes(e->first_name);

    return in->missed.count != 0 && entry_is_further_name(e) && table_find(&in->missed, &key);
}

/* Whether the backup can store what the item has. */
static bool is_had(const struct intake_item *item)
{
    return item->entry.path.size <= TAR_MAX_PATH_BYTES && item->content != INTAKE_FAILED &&
           (item->content != INTAKE_READ || !item->reading->failed || item->reading->any);
}

/* Keeps account of the files that are missed: this item is one, or stands in for one. */
static int account(struct intake *in, const struct intake_item *item, struct error *err)
{
    const struct entry *e = &item->entry;
    struct hash128 key = hash_bytes(item->stands_in ? e->first_name : e->path);

    if (is_had(item) == !item->stands_in || (!e->shared && e->link_count == 1))
        return 0;
    if (!item->stands_in)
        return table_add(&in->missed, &key, err) ? 0 : -1;
    table_remove(&in->missed, &key);
    return 0;
}

/* What the base has under the entry's name. The first entry, which tells what the archive is, is
 * always in the archive itself. 1, 0, -1. */
static int look_in_base(struct intake *in, struct intake_item *item, struct error *err)
{
    int found;

    if (!in->options.base || (!in->has_begun && in->options.reads))
        return 0;
    found = unchanged_find(in->options.base, &item->entry, &in->stored, err);
    if (found == 1)
        item->stored = &in->stored;
    return found;
}

/* Opens the content, and reads it if it is small. *data is to be closed if it was not sent. */
static int open_content(struct intake *in, struct intake_item *item, struct data **data,
                        struct error *err)
{
    int large = 1;

    if (source_open_data(in->source, data, &in->trouble) != 0) {
        item->content = INTAKE_FAILED;
        item->trouble = &in->trouble;
        return 0;
    }
    if (in->options.reads && (*data)->size <= READ_BYTES)
        large = reading_small(&in->reading, *data, &in->content, err);
    if (large == 1) {
        item->content = INTAKE_OPEN;
        item->data = *data;
    } else if (large == 0) {
        in->shape = **data;
        in->shape.ops = NULL;
        in->shape.os_handle = -1;
        item->content = INTAKE_READ;
        item->data = &in->shape;
        item->bytes = buffer_bytes(&in->content);
        item->reading = &in->reading;
    }
    return large < 0 ? -1 : 0;
}

/* As send. */
static int send_content(struct intake *in, struct intake_item *item, struct error *err)
{
    struct data *data = NULL;
    int result = open_content(in, item, &data, err);

    if (result == 0)
        result = account(in, item, err);
    if (result == 0)
        result = send(in, item, err);
    if (item->content != INTAKE_OPEN || result != 1)
        data_close(data);
    reading_release(&in->reading);
    error_release(&in->trouble);
    return result;
}

/* Sends an entry that is not a further name, or stands in for one, complete. As send. */
static int send_whole(struct intake *in, struct intake_item *item, struct error *err)
{
    struct entry *e = &item->entry;
    const struct entry *loaded;
    struct entry listed = *e;
    int found;

    if (source_load(in->source, &loaded, err) != 0)
        return -1;
    *e = *loaded;
    /* What was known when names were put together decides how many may come. */
    e->link_count = listed.link_count;
    e->shared = e->shared || listed.shared;
    e->first_name = listed.first_name;
    found = e->kind == ENTRY_FILE && e->size != 0 ? look_in_base(in, item, err) : 0;
    if (found < 0)
        return -1;
    if (found == 1 && in->stored.is_same_state)
        item->content = INTAKE_KNOWN;
    else
        in->has_begun = true;
    if (e->kind == ENTRY_FILE && e->size != 0 && item->content != INTAKE_KNOWN)
        return send_content(in, item, err);
    return account(in, item, err) == 0 ? send(in, item, err) : -1;
}

/* Takes in the next entry. 1; 0 at the end or if the caller wants no more; -1. */
static int take_in(struct intake *in, struct error *err)
{
    const struct entry *e;
    int more = source_next(in->source, &e, err);

    if (more != 1)
        return more;
    struct intake_item item = {.entry = *e};

    if (!is_usable(e) || (entry_is_further_name(e) && !must_stand_in(in, e)))
        return send(in, &item, err);
    item.stands_in = entry_is_further_name(e);
    return send_whole(in, &item, err);
}

static void take_all(void *context)
{
    struct intake *in = context;
    struct error failure = {0};

    while (take_in(in, &failure) == 1)
        ;
    parcels_end(in->parcels, &failure);
}

/* ---- The caller's side ---- */

int intake_new(struct source *source, const struct intake_options *options, struct intake **out,
               struct error *err)
{
    struct intake *in = calloc(1, sizeof *in);

    if (!in)
        return error_memory(err);
    in->source = source;
    in->options = *options;
    table_init(&in->missed, sizeof(struct hash128), sizeof(struct hash128));
    if (parcels_new(BLOCK_COUNT, BLOCK_BYTES, &in->parcels, err) ||
        os_thread_start(take_all, in, &in->thread, err)) {
        intake_free(in);
        return -1;
    }
    *out = in;
    return 0;
}

int intake_next(struct intake *in, struct intake_item **out, struct error *err)
{
    void *item = NULL;
    int more;

    if (in->current && in->current->content == INTAKE_OPEN)
        data_close(in->current->data);
    more = parcels_take(in->parcels, &item, err);
    in->current = item;
    *out = item;
    return more;
}

void intake_free(struct intake *in)
{
    struct error ignored = {0};
    struct intake_item *item;

    if (!in)
        return;
    if (in->thread) {
        parcels_stop(in->parcels);
        while (intake_next(in, &item, &ignored) == 1)
            ; /* closes what is under way */
        os_thread_join(in->thread);
    }
    error_release(&ignored);
    parcels_free(in->parcels);
    buffer_release(&in->content);
    table_release(&in->missed);
    free(in);
}
