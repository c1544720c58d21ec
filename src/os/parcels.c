/*
 * parcels.c: see parcels.h.
 */
#include "os/parcels.h"

#include <stdint.h>
#include <stdlib.h>

#include "os/channel.h"

enum { ALIGNMENT = 16 };

/* What stands before an item. */
struct parcel {
    _Alignas(ALIGNMENT) size_t bytes; /* to the next one, itself counted */
    void *own;                        /* the item, if no block can hold it */
};

struct parcels {
    struct channel *channel;
    size_t block_bytes;
    struct channel_block *filling; /* the writer's, or NULL */
    struct channel_block *taken;   /* the reader's, or NULL */
    size_t taken_bytes;            /* of it */
    struct parcel *current;        /* that was taken last, or NULL */
};

int parcels_new(size_t blocks, size_t block_bytes, struct parcels **out, struct error *err)
{
    struct parcels *p = calloc(1, sizeof *p);

    if (!p)
        return error_memory(err);
    p->block_bytes = block_bytes;
    if (channel_new(blocks, block_bytes, &p->channel, err)) {
        free(p);
        return -1;
    }
    *out = p;
    return 0;
}

void parcels_free(struct parcels *p)
{
    if (!p)
        return;
    channel_free(p->channel);
    free(p);
}

/* ---- The writer's side ---- */

void parcels_pass(struct parcels *p)
{
    if (!p->filling)
        return;
    p->filling = NULL;
    channel_pass(p->channel);
}

int parcels_put(struct parcels *p, size_t bytes, void **out, struct error *err)
{
    size_t room = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    void *own = NULL;

    if (room > p->block_bytes - sizeof(struct parcel)) {
        own = malloc(bytes);
        if (!own)
            return error_memory(err);
        room = 0;
    }
    room += sizeof(struct parcel);
    if (p->filling && p->filling->size + room > p->block_bytes)
        parcels_pass(p);
    if (!p->filling)
        p->filling = channel_fill(p->channel);
    if (!p->filling) {
        free(own);
        return 0;
    }
    struct parcel *parcel = (struct parcel *)(void *)(p->filling->data + p->filling->size);
    *parcel = (struct parcel){room, own};
    p->filling->size += room;
    *out = own ? own : parcel + 1;
    return 1;
}

void parcels_end(struct parcels *p, struct error *failure)
{
    parcels_pass(p);
    channel_end(p->channel, failure);
}

/* ---- The reader's side ---- */

static void give_back(struct parcels *p)
{
    struct parcel *parcel = p->current;

    p->current = NULL;
    if (!parcel)
        return;
    p->taken_bytes += parcel->bytes;
    free(parcel->own);
    if (p->taken_bytes < p->taken->size)
        return;
    p->taken = NULL;
    channel_return(p->channel);
}

int parcels_take(struct parcels *p, void **out, struct error *err)
{
    int more = 1;

    give_back(p);
    if (!p->taken) {
        p->taken_bytes = 0;
        more = channel_take(p->channel, &p->taken, err);
    }
    if (more != 1)
        return more;
    p->current = (struct parcel *)(void *)(p->taken->data + p->taken_bytes);
    *out = p->current->own ? p->current->own : p->current + 1;
    return 1;
}

void parcels_stop(struct parcels *p)
{
    channel_stop(p->channel);
}
