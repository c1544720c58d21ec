/*
 * Channels: all blocks in order, the writer's failure at the end, and no side that waits for a side
 * that is gone.
 */
#include "os/channel.h"

#include <errno.h>
#include <string.h>

#include "os/thread.h"
#include "support/check.h"

enum { BLOCKS = 4, CAPACITY = 1000, ROUNDS = 5000 };

struct writer {
    struct channel *channel;
    unsigned passed;
    bool fails;
};

static void write_numbers(void *context)
{
    struct writer *w = context;
    struct error err = {0};
    struct channel_block *b;

    for (unsigned i = 0; i < ROUNDS && (b = channel_fill(w->channel)); i++) {
        assert_true(b->size == 0 && b->mark == 0);
        memset(b->data, (int)i, CAPACITY);
        b->size = i % CAPACITY + 1;
        b->mark = i;
        channel_pass(w->channel);
        w->passed++;
    }
    if (w->fails)
        error_os(&err, "write", EIO);
    channel_end(w->channel, &err);
}

static unsigned read_numbers(struct channel *c, unsigned limit)
{
    struct error err = {0};
    struct channel_block *b;
    unsigned count = 0;

    while (count < limit && check_done(channel_take(c, &b, &err)) == 1) {
        assert_int_equal(b->mark, count);
        assert_int_equal(b->size, count % CAPACITY + 1);
        assert_int_equal(b->data[0], (uint8_t)count);
        assert_int_equal(b->data[b->size - 1], (uint8_t)count);
        channel_return(c);
        count++;
    }
    return count;
}

static void blocks_arrive_in_order(void **state)
{
    struct writer w = {.fails = false};
    struct error err = {0};
    struct os_thread *t;

    (void)state;
    check_done(channel_new(BLOCKS, CAPACITY, &w.channel, &err));
    check_done(os_thread_start(write_numbers, &w, &t, &err));
    assert_int_equal(read_numbers(w.channel, UINT32_MAX), ROUNDS);
    os_thread_join(t);
    assert_int_equal(w.passed, ROUNDS);
    channel_free(w.channel);
    channel_free(NULL);
    os_thread_join(NULL);
}

static void a_failure_comes_behind_the_blocks(void **state)
{
    struct writer w = {.fails = true};
    struct error err = {0};
    struct channel_block *b;
    struct os_thread *t;

    (void)state;
    check_done(channel_new(BLOCKS, CAPACITY, &w.channel, &err));
    check_done(os_thread_start(write_numbers, &w, &t, &err));
    assert_int_equal(read_numbers(w.channel, ROUNDS), ROUNDS);
    check_code(channel_take(w.channel, &b, &err), EIO);
    os_thread_join(t);
    channel_free(w.channel);
}

static void a_reader_can_give_up(void **state)
{
    struct writer w = {.fails = true};
    struct error err = {0};
    struct os_thread *t;

    (void)state;
    check_done(channel_new(BLOCKS, CAPACITY, &w.channel, &err));
    check_done(os_thread_start(write_numbers, &w, &t, &err));
    assert_int_equal(read_numbers(w.channel, 10), 10);
    channel_stop(w.channel);
    os_thread_join(t);
    assert_true(w.passed < ROUNDS);
    assert_null(channel_fill(w.channel));
    channel_free(w.channel);
}

static void one_block_is_enough(void **state)
{
    struct writer w = {.fails = false};
    struct error err = {0};
    struct os_thread *t;

    (void)state;
    check_done(channel_new(1, CAPACITY, &w.channel, &err));
    check_done(os_thread_start(write_numbers, &w, &t, &err));
    assert_int_equal(read_numbers(w.channel, UINT32_MAX), ROUNDS);
    os_thread_join(t);
    channel_free(w.channel);
}

static void a_block_can_grow_and_stays_so(void **state)
{
    struct channel *c;
    struct channel_block *b, *first;
    struct error err = {0};

    (void)state;
    check_done(channel_new(1, CAPACITY, &c, &err));
    first = channel_fill(c);
    assert_int_equal(first->capacity, CAPACITY);
    check_done(channel_grow(first, 10 * CAPACITY, &err));
    memset(first->data, 7, (size_t)10 * CAPACITY);
    first->size = (size_t)10 * CAPACITY;
    channel_pass(c);
    assert_int_equal(check_done(channel_take(c, &b, &err)), 1);
    assert_int_equal(b->size, 10 * CAPACITY);
    assert_int_equal(b->data[b->size - 1], 7);
    channel_return(c);
    b = channel_fill(c);
    check_done(channel_grow(b, CAPACITY, &err));
    assert_int_equal(b->capacity, 10 * CAPACITY);
    channel_free(c);
}

static void too_large_a_ring_is_an_error(void **state)
{
    struct channel *c;
    struct error err = {0};

    (void)state;
    check_kind(channel_new(16, SIZE_MAX / 8, &c, &err), ERROR_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_arrive_in_order),
        cmocka_unit_test(a_failure_comes_behind_the_blocks),
        cmocka_unit_test(a_reader_can_give_up),
        cmocka_unit_test(one_block_is_enough),
        cmocka_unit_test(a_block_can_grow_and_stays_so),
        cmocka_unit_test(too_large_a_ring_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
