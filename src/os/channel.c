/*
 * channel.c: see channel.h. A ring of blocks under one mutex; the data of a block belongs to one
 * side at a time, so that it is touched outside the mutex. Who is woken finds the mutex free: the
 * signal comes behind the unlocking.
 */
#include "os/channel.h"

#include <stdbool.h>
#include <stdlib.h>

#include "os/thread.h"

struct channel {
    struct os_mutex *mutex;
    struct os_condition *filled, *freed;
    struct channel_block *blocks;
    size_t count;
    size_t first; /* the oldest filled block */
    size_t used;  /* filled blocks, with the one that the reader holds */
    bool ended, stopped;
    struct error failure;
};

static int prepare(struct channel *c, size_t capacity, struct error *err)
{
    if (os_mutex_new(&c->mutex, err) || os_condition_new(&c->filled, err) ||
        os_condition_new(&c->freed, err))
        return -1;
    if (capacity > SIZE_MAX / c->count)
        return error_memory(err);
    c->blocks = calloc(c->count, sizeof *c->blocks);
    if (!c->blocks)
        return error_memory(err);
    for (size_t i = 0; i < c->count; i++)
        if (channel_grow(&c->blocks[i], capacity, err))
            return -1;
    return 0;
}

int channel_new(size_t count, size_t capacity, struct channel **out, struct error *err)
{
    struct channel *c = calloc(1, sizeof *c);

    if (!c)
        return error_memory(err);
    c->count = count;
    if (prepare(c, capacity, err)) {
        channel_free(c);
        return -1;
    }
    *out = c;
    return 0;
}

void channel_free(struct channel *c)
{
    if (!c)
        return;
    error_release(&c->failure);
    os_condition_free(c->filled);
    os_condition_free(c->freed);
    os_mutex_free(c->mutex);
    for (size_t i = 0; c->blocks && i < c->count; i++)
        free(c->blocks[i].data);
    free(c->blocks);
    free(c);
}

struct channel_block *channel_fill(struct channel *c)
{
    struct channel_block *block = NULL;

    os_mutex_lock(c->mutex);
    while (c->used == c->count && !c->stopped)
        os_condition_wait(c->freed, c->mutex);
    if (!c->stopped) {
        block = &c->blocks[(c->first + c->used) % c->count];
        block->size = 0;
        block->mark = 0;
    }
    os_mutex_unlock(c->mutex);
    return block;
}

int channel_grow(struct channel_block *block, size_t capacity, struct error *err)
{
    if (capacity <= block->capacity)
        return 0;
    uint8_t *data = malloc(capacity);

    if (!data)
        return error_memory(err);
    free(block->data);
    block->data = data;
    block->capacity = capacity;
    return 0;
}

void channel_pass(struct channel *c)
{
    os_mutex_lock(c->mutex);
    c->used++;
    os_mutex_unlock(c->mutex);
    os_condition_signal(c->filled);
}

void channel_end(struct channel *c, struct error *failure)
{
    os_mutex_lock(c->mutex);
    c->ended = true;
    if (failure)
        error_move(&c->failure, failure);
    os_condition_signal(c->filled);
    os_mutex_unlock(c->mutex);
}

int channel_take(struct channel *c, struct channel_block **out, struct error *err)
{
    int result = 0;

    os_mutex_lock(c->mutex);
    while (!c->used && !c->ended)
        os_condition_wait(c->filled, c->mutex);
    if (c->used) {
        *out = &c->blocks[c->first];
        result = 1;
    } else if (c->failure.kind != ERROR_NONE) {
        error_move(err, &c->failure);
        result = -1;
    }
    os_mutex_unlock(c->mutex);
    return result;
}

void channel_return(struct channel *c)
{
    os_mutex_lock(c->mutex);
    c->first = (c->first + 1) % c->count;
    c->used--;
    os_mutex_unlock(c->mutex);
    os_condition_signal(c->freed);
}

void channel_stop(struct channel *c)
{
    os_mutex_lock(c->mutex);
    c->stopped = true;
    os_condition_signal(c->freed);
    os_mutex_unlock(c->mutex);
}
