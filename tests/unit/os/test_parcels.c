/*
 * Parcels: items of all sizes in order, the writer's failure behind them, a reader that gives up.
 */
#include "os/parcels.h"

#include <errno.h>
#include <string.h>

#include "os/thread.h"
#include "support/check.h"

enum { BLOCKS = 3, BLOCK_BYTES = 1000, ITEMS = 5000, LARGEST = 1500 };

struct writer {
    struct parcels *parcels;
    unsigned put;
    bool fails;
};

/* Some are larger than a block. */
static size_t bytes_of_item(unsigned number)
{
    return (size_t)number * 7 % LARGEST;
}

static void write_items(void *context)
{
    struct writer *w = context;
    struct error err = {0};
    void *item;

    for (unsigned i = 0; i < ITEMS; i++) {
        if (check_done(parcels_put(w->parcels, bytes_of_item(i) + 1, &item, &err)) == 0)
            break;
        assert_int_equal((uintptr_t)item % 16, 0);
        memset(item, (int)i, bytes_of_item(i) + 1);
        w->put++;
        if (i % 100 == 0)
            parcels_pass(w->parcels);
    }
    if (w->fails)
        error_os(&err, "write", EIO);
    parcels_end(w->parcels, &err);
}

static struct os_thread *begin(struct writer *w)
{
    struct error err = {0};
    struct os_thread *t;

    check_done(parcels_new(BLOCKS, BLOCK_BYTES, &w->parcels, &err));
    check_done(os_thread_start(write_items, w, &t, &err));
    return t;
}

static void read_items(struct parcels *p, unsigned count)
{
    struct error err = {0};
    void *item;

    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(check_done(parcels_take(p, &item, &err)), 1);
        const uint8_t *bytes = item;
        assert_int_equal(bytes[0], (uint8_t)i);
        assert_int_equal(bytes[bytes_of_item(i)], (uint8_t)i);
    }
}

static void items_arrive_in_order(void **state)
{
    struct writer w = {.fails = false};
    struct os_thread *t = begin(&w);
    struct error err = {0};
    void *item;

    (void)state;
    read_items(w.parcels, ITEMS);
    assert_int_equal(check_done(parcels_take(w.parcels, &item, &err)), 0);
    os_thread_join(t);
    assert_int_equal(w.put, ITEMS);
    parcels_free(w.parcels);
    parcels_free(NULL);
}

static void a_failure_comes_behind_the_items(void **state)
{
    struct writer w = {.fails = true};
    struct os_thread *t = begin(&w);
    struct error err = {0};
    void *item;

    (void)state;
    read_items(w.parcels, ITEMS);
    check_code(parcels_take(w.parcels, &item, &err), EIO);
    os_thread_join(t);
    parcels_free(w.parcels);
}

static void a_reader_can_give_up(void **state)
{
    struct writer w = {.fails = false};
    struct os_thread *t = begin(&w);
    struct error err = {0};
    void *item;

    (void)state;
    read_items(w.parcels, 20);
    parcels_stop(w.parcels);
    while (check_done(parcels_take(w.parcels, &item, &err)) == 1)
        ; /* what is under way */
    os_thread_join(t);
    assert_true(w.put < ITEMS);
    parcels_free(w.parcels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_arrive_in_order),
        cmocka_unit_test(a_failure_comes_behind_the_items),
        cmocka_unit_test(a_reader_can_give_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
