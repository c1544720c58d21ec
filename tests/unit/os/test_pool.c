/*
 * Pools: every task is done once, whatever the number of threads, and its results can be read after
 * the wait.
 */
#include "os/pool.h"

#include "os/os.h"
#include "os/thread.h"
#include "support/check.h"

enum { TASKS = 500 };

struct sum {
    struct pool_task task; /* first */
    unsigned from, result, times;
};

static void add_up(struct pool_task *t)
{
    struct sum *s = (struct sum *)t;

    for (unsigned i = 0; i <= s->from; i++)
        s->result += i;
    s->times++;
}

static void give_sums(size_t threads)
{
    struct error err = {0};
    static struct sum sums[TASKS];
    struct pool *p;

    check_done(pool_new(threads, &p, &err));
    for (unsigned i = 0; i < TASKS; i++) {
        sums[i] = (struct sum){.task.work = add_up, .from = i * 10};
        pool_give(p, &sums[i].task);
        if (i >= 3)
            pool_wait(p, &sums[i - 3].task);
    }
    pool_free(p);
    for (unsigned i = 0; i < TASKS; i++) {
        assert_int_equal(sums[i].times, 1);
        assert_int_equal(sums[i].result, i * 10 * (i * 10 + 1) / 2);
    }
}

static void every_task_is_done_once(void **state)
{
    (void)state;
    give_sums(0);
    give_sums(1);
    give_sums(2);
    give_sums(8);
}

static void a_pool_without_tasks_ends(void **state)
{
    struct error err = {0};
    struct pool *p;

    (void)state;
    check_done(pool_new(4, &p, &err));
    pool_free(p);
    pool_free(NULL);
}

/* Two tasks that wait for each other. */
struct meeting {
    struct os_mutex *mutex;
    struct os_condition *changed;
    unsigned present;
};
struct guest {
    struct pool_task task; /* first */
    struct meeting *meeting;
};

static void meet(struct pool_task *t)
{
    struct meeting *m = ((struct guest *)t)->meeting;

    os_mutex_lock(m->mutex);
    m->present++;
    os_condition_signal(m->changed);
    while (m->present < 2)
        os_condition_wait(m->changed, m->mutex);
    os_mutex_unlock(m->mutex);
}

static void tasks_run_side_by_side(void **state)
{
    struct error err = {0};
    struct meeting m = {.present = 0};
    struct pool *p;

    (void)state;
    check_done(os_mutex_new(&m.mutex, &err));
    check_done(os_condition_new(&m.changed, &err));
    check_done(pool_new(2, &p, &err));
    struct guest a = {.task.work = meet, .meeting = &m}, b = a;
    pool_give(p, &a.task);
    pool_give(p, &b.task);
    pool_wait(p, &b.task);
    pool_wait(p, &a.task);
    pool_free(p);
    os_condition_free(m.changed);
    os_mutex_free(m.mutex);
}

static void there_is_a_core(void **state)
{
    (void)state;
    assert_true(os_core_count() >= 1);
    assert_true(os_handle_limit() >= 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_task_is_done_once),
        cmocka_unit_test(a_pool_without_tasks_ends),
        cmocka_unit_test(tasks_run_side_by_side),
        cmocka_unit_test(there_is_a_core),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
