/*
 * intake.c: see intake.h. Items are packed, with all that they point to, into the blocks of a
 * channel, which pass from thread to thread without an allocation an entry.
 */
#include "archive/intake.h"

#include <stdlib.h>
#include <string.h>

#include "archive/tar.h"
#include "base/table.h"
#include "os/channel.h"
#include "os/thread.h"

enum {
    BLOCK_COUNT = 4,
    BLOCK_BYTES = 512 << 10,
    READ_BYTES = 128 << 10, /* the largest content that is read ahead */
    OPEN_MOST = 8,          /* files that a block holds open */
    ALIGNMENT = 16,
};

/* What stands in a block for one entry; `bytes` more, itself counted, is the next one. */
struct parcel {
    struct intake_item item;
    size_t bytes;
    uint8_t *own; /* where all of it but itself stands, if no block can hold it */
};

struct intake {
    struct source *source;
    struct intake_options options;
    struct channel *channel;
    struct os_thread *thread;

    /* Of whoever takes in. */
    struct channel_block *filling; /* or NULL */
    size_t open_count;             /* files that `filling` holds open */
    bool has_begun;                /* an entry went into the archive that no base can have */
    struct buffer content;         /* of one file, and what goes with it: */
    struct reading reading;
    struct data shape;
    struct stored_content stored;
    struct error trouble;
    struct table missed; /* first names, hashed, that cannot be had */

    /* The caller's. */
    struct channel_block *taken; /* or NULL */
    size_t taken_bytes;          /* of it */
    struct parcel *current;      /* the item that came last, or NULL */
};

/* ---- Packing ---- */

/* Room for what a parcel points to: first it is measured, then filled. */
struct packer {
    uint8_t *memory; /* NULL while it is measured */
    size_t used;
};

/* Where `count` bytes stand now: they are copied if there is memory. Owned by the packer. */
static void *pack(struct packer *p, const void *bytes, size_t count)
{
    union {
        const void *constant;
        void *own;
    } place = {bytes};

    if (p->memory && count != 0)
        place.own = memcpy(p->memory + p->used, bytes, count);
    p->used += (count + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return place.own;
}

static struct bytes pack_bytes(struct packer *p, struct bytes b)
{
    return bytes_make(pack(p, b.data, b.size), b.size);
}

static const char *pack_text(struct packer *p, const char *text)
{
    return text ? pack(p, text, strlen(text) + 1) : NULL;
}

static void pack_pairs(struct packer *p, struct pairs *pairs)
{
    pairs->bytes.data = pack(p, pairs->bytes.data, pairs->bytes.size);
    pairs->bytes.capacity = pairs->bytes.size;
    pairs->slots = pack(p, pairs->slots, pairs->count * sizeof *pairs->slots);
    pairs->capacity = pairs->count;
}

static const struct extent *pack_extents(struct packer *p, const struct extent *extents,
                                         size_t count)
{
    return pack(p, extents, count * sizeof *extents);
}

/* Those that are packed keep their own path. */
static const struct error *pack_error(struct packer *p, const struct error *e)
{
    struct error *packed = e ? pack(p, e, sizeof *e) : NULL;
    char *path = e && e->path ? pack(p, e->path, e->path_bytes + 1) : NULL;

    if (p->memory && packed)
        packed->path = path;
    return packed;
}

static const struct reading *pack_reading(struct packer *p, const struct reading *r)
{
    struct reading *packed = r ? pack(p, r, sizeof *r) : NULL;
    char *path = r && r->trouble.path ? pack(p, r->trouble.path, r->trouble.path_bytes + 1) : NULL;

    if (p->memory && packed)
        packed->trouble.path = path;
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
    struct entry *e = &item->entry;

    e->path = pack_bytes(p, e->path);
    e->target = pack_bytes(p, e->target);
    e->reparse = pack_bytes(p, e->reparse);
    e->first_name = pack_bytes(p, e->first_name);
    e->meta.owner_name = pack_text(p, e->meta.owner_name);
    e->meta.group_name = pack_text(p, e->meta.group_name);
    pack_pairs(p, &e->meta.xattrs);
    e->problem = pack_error(p, e->problem);
    item->trouble = pack_error(p, item->trouble);
    item->stored = pack_stored(p, item->stored);
    if (item->content != INTAKE_READ)
        return;
    item->reading = pack_reading(p, item->reading);
    item->data = pack_shape(p, item->data);
    item->bytes = pack_bytes(p, item->bytes);
}

static void pass(struct intake *in)
{
    in->filling = NULL;
    in->open_count = 0;
    channel_pass(in->channel);
}

/* A block with that much room: 1, or 0 if the caller wants no more. */
static int reserve(struct intake *in, size_t bytes)
{
    if (in->filling && in->filling->size + bytes > BLOCK_BYTES)
        pass(in);
    if (!in->filling)
        in->filling = channel_fill(in->channel);
    return in->filling != NULL;
}

/* Puts an item into the channel. 1; 0 if the caller wants no more; -1. What it holds open goes with
 * it, or stays the caller's. */
static int send(struct intake *in, struct intake_item *item, struct error *err)
{
    enum { HEAD_BYTES = (sizeof(struct parcel) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT };
    struct packer packer = {0};
    uint8_t *own = NULL;

    pack_item(&packer, item);
    size_t bytes = HEAD_BYTES + packer.used;
    if (bytes > BLOCK_BYTES) {
        own = malloc(packer.used);
        if (!own)
            return error_memory(err);
        bytes = HEAD_BYTES;
    }
    if (!reserve(in, bytes)) {
        free(own);
        return 0;
    }
    uint8_t *place = in->filling->data + in->filling->size;
    struct parcel *parcel = (struct parcel *)(void *)place;

    *parcel = (struct parcel){.item = *item, .bytes = bytes, .own = own};
    packer = (struct packer){.memory = own ? own : place + HEAD_BYTES};
    pack_item(&packer, &parcel->item);
    in->filling->size += bytes;
    in->open_count += item->content == INTAKE_OPEN;
    if (in->open_count == OPEN_MOST)
        pass(in);
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
    if (in->filling)
        pass(in);
    channel_end(in->channel, &failure);
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
    if (channel_new(BLOCK_COUNT, BLOCK_BYTES, &in->channel, err) ||
        os_thread_start(take_all, in, &in->thread, err)) {
        intake_free(in);
        return -1;
    }
    *out = in;
    return 0;
}

/* Gives the item that came last back. */
static void release_current(struct intake *in)
{
    struct parcel *p = in->current;

    in->current = NULL;
    if (!p)
        return;
    if (p->item.content == INTAKE_OPEN)
        data_close(p->item.data);
    in->taken_bytes += p->bytes;
    free(p->own);
    if (in->taken_bytes < in->taken->size)
        return;
    in->taken = NULL;
    channel_return(in->channel);
}

int intake_next(struct intake *in, struct intake_item **out, struct error *err)
{
    int more = 1;

    release_current(in);
    if (!in->taken) {
        in->taken_bytes = 0;
        more = channel_take(in->channel, &in->taken, err);
    }
    if (more != 1)
        return more;
    in->current = (struct parcel *)(void *)(in->taken->data + in->taken_bytes);
    *out = &in->current->item;
    return 1;
}

void intake_free(struct intake *in)
{
    struct error ignored = {0};
    struct intake_item *item;

    if (!in)
        return;
    if (in->thread) {
        channel_stop(in->channel);
        while (intake_next(in, &item, &ignored) == 1)
            ; /* closes what waits in the channel */
        os_thread_join(in->thread);
    }
    error_release(&ignored);
    channel_free(in->channel);
    buffer_release(&in->content);
    table_release(&in->missed);
    free(in);
}
