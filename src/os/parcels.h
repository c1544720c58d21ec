/*
 * parcels.h: items of any size handed from one thread to another, packed into the blocks of a
 * channel: no allocation an item but for one that no block can hold.
 */
#ifndef HOLDFAST_OS_PARCELS_H
#define HOLDFAST_OS_PARCELS_H

#include <stddef.h>

#include "base/error.h"

struct parcels;
/* At most `blocks` blocks of `block_bytes` each are under way. */
MUST_CHECK int parcels_new(size_t blocks, size_t block_bytes, struct parcels **out,
                           struct error *err);
/* Both sides must be done with it. NULL is accepted. */
void parcels_free(struct parcels *p);

/* Writer: room for an item of that size, aligned for any type, which the reader gets once it was
 * passed on: 1 and *out (until then); 0 if the reader wants no more; -1. */
MUST_CHECK int parcels_put(struct parcels *p, size_t bytes, void **out, struct error *err);
/* Writer: passes on what was put; otherwise that happens when a block is full. */
void parcels_pass(struct parcels *p);
/* Writer: no more will come; passes on what was put. `failure` is moved in and reaches the reader
 * as its result at the end. */
void parcels_end(struct parcels *p, struct error *failure);

/* Reader: 1 and the next item (until the next call), 0 at the end, -1 and the writer's failure. */
MUST_CHECK int parcels_take(struct parcels *p, void **out, struct error *err);
/* Reader: wants no more; what is under way can still be taken, until the end. */
void parcels_stop(struct parcels *p);

#endif
