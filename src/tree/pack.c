/*
 * pack.c: see pack.h.
 */
#include "tree/pack.h"

#include <string.h>

enum { ALIGNMENT = 16 };

void *pack(struct packer *p, const void *bytes, size_t count)
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

struct bytes pack_bytes(struct packer *p, struct bytes b)
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

void pack_error_path(struct packer *p, const struct error *e, struct error *packed)
{
    char *path = e->path ? pack(p, e->path, e->path_bytes + 1) : NULL;

    if (p->memory)
        packed->path = path;
}

struct error *pack_error(struct packer *p, const struct error *e)
{
    struct error *packed = e ? pack(p, e, sizeof *e) : NULL;

    if (e)
        pack_error_path(p, e, packed);
    return packed;
}

void pack_entry(struct packer *p, struct entry *e)
{
    e->path = pack_bytes(p, e->path);
    e->target = pack_bytes(p, e->target);
    e->reparse = pack_bytes(p, e->reparse);
    e->first_name = pack_bytes(p, e->first_name);
    e->meta.owner_name = pack_text(p, e->meta.owner_name);
    e->meta.group_name = pack_text(p, e->meta.group_name);
    pack_pairs(p, &e->meta.xattrs);
    e->problem = pack_error(p, e->problem);
}
