/*
 * The hash table against the simplest model: an array that has a place for each key.
 */
#include "base/table.h"

#include <string.h>

#include "support/check.h"

enum { KEYS = 3000, STEPS = 200000 };

struct record {
    uint64_t key;
    uint32_t value;
    uint32_t more;
};

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* The table holds what the model holds, each once. */
static void compare(const struct table *t, const uint32_t *model)
{
    size_t place = 0, count = 0, seen = 0;
    const struct record *r;

    for (uint64_t key = 0; key < KEYS; key++) {
        r = table_find(t, &key);
        assert_int_equal(r ? r->value : 0, model[key]);
        count += model[key] != 0;
    }
    while ((r = table_next(t, &place))) {
        assert_int_equal(r->value, model[r->key]);
        seen++;
    }
    assert_int_equal(seen, count);
    assert_int_equal(t->count, count);
}

static void random_steps_follow_the_model(void **state)
{
    static uint32_t model[KEYS];
    struct table t;
    struct error err = {0};
    uint64_t seed = 88172645463325252ull;

    (void)state;
    table_init(&t, sizeof(struct record), sizeof(uint64_t));
    for (uint32_t step = 1; step <= STEPS; step++) {
        uint64_t key = next_random(&seed) % KEYS;
        /* In turns more is added and more is removed, so that the table is nearly empty and nearly
         * full. */
        bool removes = next_random(&seed) % 10 < (step / 20000 % 2 ? 7u : 3u);

        if (removes) {
            table_remove(&t, &key);
            model[key] = 0;
        } else {
            struct record *r = table_add(&t, &key, &err);
            assert_non_null(r);
            assert_int_equal(r->value, model[key]);
            assert_true(r->key == key);
            r->value = model[key] = step;
        }
        if (step % 10000 == 0)
            compare(&t, model);
    }
    for (uint64_t key = 0; key < KEYS; key++) {
        table_remove(&t, &key);
        model[key] = 0;
    }
    compare(&t, model);
    table_release(&t);
}

static void an_empty_table_needs_nothing(void **state)
{
    struct table t;
    uint64_t key = 1;
    size_t place = 0;

    (void)state;
    table_init(&t, sizeof(struct record), sizeof key);
    assert_null(table_find(&t, &key));
    assert_null(table_next(&t, &place));
    table_remove(&t, &key);
    assert_null(t.chunks);
    table_release(&t);
    table_release(NULL);
}

static void a_new_record_is_zeroed(void **state)
{
    struct table t;
    struct error err = {0};

    (void)state;
    table_init(&t, sizeof(struct record), sizeof(uint64_t));
    for (int round = 0; round < 2; round++) {
        for (uint64_t key = 0; key < 100; key++) {
            struct record *r = table_add(&t, &key, &err);
            assert_non_null(r);
            assert_int_equal(r->value, 0);
            assert_int_equal(r->more, 0);
            r->value = r->more = UINT32_MAX;
        }
        for (uint64_t key = 0; key < 100; key++)
            table_remove(&t, &key);
    }
    assert_int_equal(t.capacity, 128);
    table_release(&t);
    assert_int_equal(t.record_bytes, sizeof(struct record));
}

static void a_table_is_at_most_seven_eighths_full(void **state)
{
    struct table t;
    struct error err = {0};

    (void)state;
    table_init(&t, 16, 16);
    for (uint64_t i = 0; i < 100000; i++) {
        uint64_t key[2] = {i, ~i};
        assert_non_null(table_add(&t, key, &err));
        assert_true(t.count <= t.capacity / 8 * 7);
    }
    assert_int_equal(t.capacity, 131072);
    table_release(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_steps_follow_the_model),
        cmocka_unit_test(an_empty_table_needs_nothing),
        cmocka_unit_test(a_new_record_is_zeroed),
        cmocka_unit_test(a_table_is_at_most_seven_eighths_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
