/*
 * Small pieces of memory: each keeps what is written to it, whatever is taken and given back
 * besides.
 */
#include "base/pieces.h"

#include <string.h>

#include "support/check.h"

enum { PIECES = 500, STEPS = 50000, MOST_BYTES = 300 };

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

static void each_keeps_its_bytes(void **state)
{
    static struct held {
        uint8_t *bytes;
        size_t count;
        uint8_t letter;
    } all[PIECES];
    struct pieces p = {0};
    struct error err = {0};
    uint32_t seed = 7;

    (void)state;
    for (int step = 0; step < STEPS; step++) {
        struct held *h = &all[next_random(&seed) % PIECES];
        for (size_t i = 0; i < h->count; i++)
            assert_int_equal(h->bytes[i], h->letter);
        pieces_give(&p, h->bytes, h->count);
        h->count = next_random(&seed) % MOST_BYTES;
        h->letter = (uint8_t)next_random(&seed);
        h->bytes = pieces_take(&p, h->count, &err);
        assert_non_null(h->bytes);
        assert_int_equal((uintptr_t)h->bytes % sizeof(void *), 0);
        memset(h->bytes, h->letter, h->count);
    }
    for (size_t i = 0; i < PIECES; i++)
        pieces_give(&p, all[i].bytes, all[i].count);
    pieces_release(&p);
}

static void what_is_given_back_serves_again(void **state)
{
    struct pieces p = {0};
    struct error err = {0};

    (void)state;
    pieces_give(&p, NULL, 5);
    void *first = pieces_take(&p, 27, &err);
    void *second = pieces_take(&p, 27, &err);
    assert_ptr_not_equal(first, second);
    pieces_give(&p, first, 27);
    assert_ptr_equal(pieces_take(&p, 32, &err), first);
    pieces_release(&p);
    pieces_release(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_keeps_its_bytes),
        cmocka_unit_test(what_is_given_back_serves_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
