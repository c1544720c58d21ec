/*
 * thread.h: threads, mutexes and conditions, as POSIX has them. What can fail is only the making.
 */
#ifndef HOLDFAST_OS_THREAD_H
#define HOLDFAST_OS_THREAD_H

#include <stdbool.h>

#include "base/error.h"

struct os_thread;
/* Starts a thread that runs `work(context)`. */
int os_thread_start(void (*work)(void *context), void *context, struct os_thread **out,
                    struct error *err) MUST_CHECK;
/* Waits for its end and frees it. NULL is accepted. */
void os_thread_join(struct os_thread *t);

/* From now on the calling thread does not interrupt another that runs when there is work for it
 * again, but waits for a core (SCHED_BATCH, sched(7)). A hint. */
void os_thread_yields(void);

/* Not recursive. */
struct os_mutex;
/* Always with one mutex, and a loop that looks at what is waited for. */
struct os_condition;
int os_mutex_new(struct os_mutex **out, struct error *err) MUST_CHECK;
void os_mutex_free(struct os_mutex *m);
void os_mutex_lock(struct os_mutex *m);
void os_mutex_unlock(struct os_mutex *m);
int os_condition_new(struct os_condition **out, struct error *err) MUST_CHECK;
void os_condition_free(struct os_condition *c);
void os_condition_wait(struct os_condition *c, struct os_mutex *m);
void os_condition_signal(struct os_condition *c);

/* What is to be done once for all threads: static and zeroed. */
struct os_once {
    bool is_done;
};
/* Has `work` done unless it was done with this `once` before: its result. A failure counts as not
 * done. Threads that come meanwhile wait. `work` must not come here itself. */
int os_once(struct os_once *once, int (*work)(struct error *err), struct error *err) MUST_CHECK;

#endif
