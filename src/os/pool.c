/*
 * pool.c: see pool.h. One queue under one mutex: tasks are large, so that nobody waits for it long.
 */
#include "os/pool.h"

#include <stdlib.h>

#include "os/thread.h"

struct pool {
    struct os_mutex *mutex;
    struct os_condition *given, *finished;
    struct os_thread **threads;
    size_t thread_count, thread_limit;
    size_t idle;                    /* threads that wait for a task */
    struct pool_task *first, *last; /* that wait to be begun */
    size_t waiting;                 /* how many */
    bool ended;
};

int pool_new(size_t threads, struct pool **out, struct error *err)
{
    struct pool *p = calloc(1, sizeof *p);

    if (!p)
        return error_memory(err);
    p->thread_limit = threads ? threads : 1;
    p->threads = calloc(p->thread_limit, sizeof(struct os_thread *));
    if (!p->threads) {
        error_memory(err);
        goto failed;
    }
    if (os_mutex_new(&p->mutex, err) || os_condition_new(&p->given, err) ||
        os_condition_new(&p->finished, err))
        goto failed;
    *out = p;
    return 0;
failed:
    pool_free(p);
    return -1;
}

void pool_free(struct pool *p)
{
    if (!p)
        return;
    if (p->thread_count) {
        os_mutex_lock(p->mutex);
        p->ended = true;
        os_condition_signal(p->given); /* each thread that ends wakes the next */
        os_mutex_unlock(p->mutex);
    }
    for (size_t i = 0; i < p->thread_count; i++)
        os_thread_join(p->threads[i]);
    free(p->threads);
    os_condition_free(p->given);
    os_condition_free(p->finished);
    os_mutex_free(p->mutex);
    free(p);
}

/* With the mutex held: the next task, waiting for one; NULL at the end. */
static struct pool_task *take(struct pool *p)
{
    p->idle++;
    while (!p->first && !p->ended)
        os_condition_wait(p->given, p->mutex);
    p->idle--;
    struct pool_task *t = p->first;
    if (t) {
        p->first = t->next;
        p->waiting--;
    }
    return t;
}

static void work(void *context)
{
    struct pool *p = context;
    struct pool_task *t;

    /* Who gives the tasks is ahead of all others, and must not lose its core to whom it wakes. */
    os_thread_yields();
    os_mutex_lock(p->mutex);
    while ((t = take(p)) != NULL) {
        os_mutex_unlock(p->mutex);
        t->work(t);
        os_mutex_lock(p->mutex);
        t->done = true;
        os_condition_signal(p->finished);
    }
    os_condition_signal(p->given);
    os_mutex_unlock(p->mutex);
}

/* One more thread if all are busy: false if there is none at all. */
static bool have_thread(struct pool *p, bool all_busy)
{
    struct error ignored = {0};

    if (p->thread_count < p->thread_limit && (all_busy || !p->thread_count)) {
        if (os_thread_start(work, p, &p->threads[p->thread_count], &ignored) == 0)
            p->thread_count++;
        error_release(&ignored);
    }
    return p->thread_count != 0;
}

void pool_do(struct pool_task *t)
{
    t->work(t);
    t->done = true;
}

void pool_give(struct pool *p, struct pool_task *t)
{
    t->next = NULL;
    t->done = false;
    os_mutex_lock(p->mutex);
    bool all_busy = p->idle <= p->waiting;
    os_mutex_unlock(p->mutex);
    if (!have_thread(p, all_busy)) {
        pool_do(t);
        return;
    }
    os_mutex_lock(p->mutex);
    if (p->first)
        p->last->next = t;
    else
        p->first = t;
    p->last = t;
    p->waiting++;
    os_condition_signal(p->given);
    os_mutex_unlock(p->mutex);
}

void pool_wait(struct pool *p, const struct pool_task *t)
{
    os_mutex_lock(p->mutex);
    while (!t->done)
        os_condition_wait(p->finished, p->mutex);
    os_mutex_unlock(p->mutex);
}
