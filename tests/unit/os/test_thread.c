/*
 * What is to be done once is done once, whoever comes meanwhile; a failure is not once.
 */
#include "os/thread.h"
#include "support/check.h"

enum { THREADS = 8 };

static struct error err;

/* ---- Work that fails at first ---- */

static unsigned tries;

static int fail_once(struct error *problem)
{
    return tries++ == 0 ? error_set(problem, ERROR_UNSUPPORTED, "try", "the first time") : 0;
}

static void test_it_is_tried_until_it_succeeds(void **state)
{
    struct os_once once = {0};

    (void)state;
    check_kind(os_once(&once, fail_once, &err), ERROR_UNSUPPORTED);
    check_done(os_once(&once, fail_once, &err));
    check_done(os_once(&once, fail_once, &err));
    assert_int_equal(tries, 2);
}

/* ---- Many threads ---- */

static struct os_once shared;
static unsigned done; /* written by the work, read behind it: TSan says if that is no order */

static int work(struct error *problem)
{
    (void)problem;
    done++;
    return 0;
}

static void come(void *context)
{
    unsigned *seen = context;

    if (os_once(&shared, work, NULL) == 0)
        *seen = done;
}

static void test_all_threads_see_it_done(void **state)
{
    struct os_thread *threads[THREADS];
    unsigned seen[THREADS] = {0};

    (void)state;
    for (size_t i = 0; i < THREADS; i++)
        check_done(os_thread_start(come, &seen[i], &threads[i], &err));
    for (size_t i = 0; i < THREADS; i++)
        os_thread_join(threads[i]);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(seen[i], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_is_tried_until_it_succeeds),
        cmocka_unit_test(test_all_threads_see_it_done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
