/*
 * pool.h: a few threads that do tasks, begun in the order in which they were given. A pool is given
 * tasks by one thread. What a task finds out, failures too, is kept by the task.
 */
#ifndef HOLDFAST_OS_POOL_H
#define HOLDFAST_OS_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* Part of what the work is done on. Only `work` is the user's. */
struct pool_task {
    void (*work)(struct pool_task *t);
    struct pool_task *next; /* that waits to be begun */
    bool done;
};

struct pool;
/* At most `threads` of them, at least one; each is made when there is work for it. */
int pool_new(size_t threads, struct pool **out, struct error *err) MUST_CHECK;
/* Waits until all tasks are done. NULL is accepted. */
void pool_free(struct pool *p);
/* Has a task done, which must stay until then. Where the system gives no thread at all it is done
 * before the call returns. */
void pool_give(struct pool *p, struct pool_task *t);
/* Does a task at once, in the thread that calls. */
void pool_do(struct pool_task *t);
/* Waits until a task that was given is done; its results can be read then. */
void pool_wait(struct pool *p, const struct pool_task *t);

#endif
