/*
 * Hashes: XXH3 as others compute it, and streams that equal the whole.
 */
#include "base/hash.h"

#include "support/check.h"

static bool same(struct hash128 a, struct hash128 b)
{
    return a.low == b.low && a.high == b.high;
}

/* The hash of nothing, from xxHash's own sanity check: whoever reads our archives must come to the
 * same. */
static void the_hash_is_xxh3(void **state)
{
    struct hash128 nothing = hash_bytes(bytes_make(NULL, 0));

    (void)state;
    assert_true(nothing.low == 0x6001c324468d497full);
    assert_true(nothing.high == 0x99aa06d3014798d8ull);
    assert_true(hash_key("", 0) == 0x2d06800538d394c2ull);
}

static void a_stream_equals_the_whole(void **state)
{
    uint8_t bytes[5000];
    struct hasher *h;
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 37);
    check_done(hasher_new(&h, &err));
    for (size_t step = 1; step < sizeof bytes; step = step * 3 + 1) {
        hasher_reset(h);
        for (size_t at = 0; at < sizeof bytes; at += step) {
            size_t left = sizeof bytes - at;
            hasher_add(h, bytes + at, left < step ? left : step);
        }
        hasher_add(h, NULL, 0);
        assert_true(same(hasher_result(h), hash_bytes(bytes_make(bytes, sizeof bytes))));
    }
    bytes[4999] ^= 1;
    assert_false(same(hasher_result(h), hash_bytes(bytes_make(bytes, sizeof bytes))));
    hasher_free(h);
    hasher_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hash_is_xxh3),
        cmocka_unit_test(a_stream_equals_the_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
