/*
 * thread.c: see thread.h.
 */
#define _GNU_SOURCE
#include "os/thread.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

struct os_thread {
    pthread_t thread;
    void (*work)(void *context);
    void *context;
};

struct os_mutex {
    pthread_mutex_t mutex;
};

struct os_condition {
    pthread_cond_t condition;
};

static void *run(void *argument)
{
    struct os_thread *t = argument;

    t->work(t->context);
    return NULL;
}

int os_thread_start(void (*work)(void *context), void *context, struct os_thread **out,
                    struct error *err)
{
    struct os_thread *t = malloc(sizeof *t);
    int code;

    if (!t)
        return error_memory(err);
    t->work = work;
    t->context = context;
    code = pthread_create(&t->thread, NULL, run, t);
    if (code) {
        free(t);
        return error_os(err, "start thread", code);
    }
    *out = t;
    return 0;
}

void os_thread_join(struct os_thread *t)
{
    if (!t)
        return;
    (void)pthread_join(t->thread, NULL);
    free(t);
}

void os_thread_yields(void)
{
#ifdef SCHED_BATCH
    const struct sched_param none = {0};

    (void)sched_setscheduler(0, SCHED_BATCH, &none);
#endif
}

int os_mutex_new(struct os_mutex **out, struct error *err)
{
    struct os_mutex *m = malloc(sizeof *m);
    int code;

    if (!m)
        return error_memory(err);
    code = pthread_mutex_init(&m->mutex, NULL);
    if (code) {
        free(m);
        return error_os(err, "make mutex", code);
    }
    *out = m;
    return 0;
}

void os_mutex_free(struct os_mutex *m)
{
    if (!m)
        return;
    (void)pthread_mutex_destroy(&m->mutex);
    free(m);
}

void os_mutex_lock(struct os_mutex *m)
{
    (void)pthread_mutex_lock(&m->mutex);
}

void os_mutex_unlock(struct os_mutex *m)
{
    (void)pthread_mutex_unlock(&m->mutex);
}

int os_condition_new(struct os_condition **out, struct error *err)
{
    struct os_condition *c = malloc(sizeof *c);
    int code;

    if (!c)
        return error_memory(err);
    code = pthread_cond_init(&c->condition, NULL);
    if (code) {
        free(c);
        return error_os(err, "make condition", code);
    }
    *out = c;
    return 0;
}

void os_condition_free(struct os_condition *c)
{
    if (!c)
        return;
    (void)pthread_cond_destroy(&c->condition);
    free(c);
}

void os_condition_wait(struct os_condition *c, struct os_mutex *m)
{
    (void)pthread_cond_wait(&c->condition, &m->mutex);
}

void os_condition_signal(struct os_condition *c)
{
    (void)pthread_cond_signal(&c->condition);
}

int os_once(struct os_once *once, int (*work)(struct error *err), struct error *err)
{
    static pthread_mutex_t mutex =
        PTHREAD_MUTEX_INITIALIZER; /* one for all: it is short and rare */
    int result = 0;

    (void)pthread_mutex_lock(&mutex);
    if (!once->is_done)
        result = work(err);
    once->is_done = result == 0;
    (void)pthread_mutex_unlock(&mutex);
    return result;
}
