/*
 * pack.h: an entry with all that it points to, put into one piece of memory: how entries pass from
 * thread to thread. What is to be packed is gone through twice: first measured, then copied.
 */
#ifndef HOLDFAST_TREE_PACK_H
#define HOLDFAST_TREE_PACK_H

#include "tree/entry.h"

struct packer {
    uint8_t *memory; /* aligned for any type; NULL while it is measured */
    size_t used;     /* bytes, a multiple of the alignment */
};

/* Where `count` bytes stand now: they are copied if there is memory. */
void *pack(struct packer *p, const void *bytes, size_t count);
struct bytes pack_bytes(struct packer *p, struct bytes b);
/* NULL stays NULL. What is packed is not to be released; nor is its path, which is packed, too. */
struct error *pack_error(struct packer *p, const struct error *e);
/* The same of an error that is part of something that was packed. */
void pack_error_path(struct packer *p, const struct error *e, struct error *packed);
/* Packs all that the entry points to and points it there. */
void pack_entry(struct packer *p, struct entry *e);

#endif
