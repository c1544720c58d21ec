/*
 * channel.h: blocks of bytes handed from one thread to another through a bounded ring: no copy, no
 * allocation a block but where it has to grow. The writer fills a block in place and passes it on;
 * the reader reads it in place and gives it back.
 */
#ifndef HOLDFAST_OS_CHANNEL_H
#define HOLDFAST_OS_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct channel_block {
    uint8_t *data;
    size_t capacity;
    size_t size;   /* bytes filled; the writer sets it */
    uint32_t mark; /* free for the users: what happens at the end of this block */
};

struct channel;
/* `count` blocks of `capacity` bytes each. */
int channel_new(size_t count, size_t capacity, struct channel **out, struct error *err) MUST_CHECK;
void channel_free(struct channel *c);
/* Writer: the next free block, waiting for one; NULL if the reader gave up (channel_stop). */
struct channel_block *channel_fill(struct channel *c);
/* Writer: makes the block that channel_fill gave, and in which nothing stands yet, hold `capacity`
 * bytes at least; its data may be elsewhere then. */
int channel_grow(struct channel_block *block, size_t capacity, struct error *err) MUST_CHECK;
/* Writer: passes the block on that channel_fill gave. */
void channel_pass(struct channel *c);
/* Writer: no more blocks will come. `failure` (may be NULL) is moved in and reaches the reader as
 * its result at the end. */
void channel_end(struct channel *c, struct error *failure);
/* Reader: 1 and the next filled block, 0 at the end, -1 and the writer's failure. */
int channel_take(struct channel *c, struct channel_block **out, struct error *err) MUST_CHECK;
/* Reader: gives the block back that channel_take gave. */
void channel_return(struct channel *c);
/* Reader: wants no more; the writer's next channel_fill gives NULL. */
void channel_stop(struct channel *c);

#endif
