/* diff.h: contents compared and hashed, with holes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/memory_data.h"
#include "tree/diff.h"

#define GIB ((uint64_t)1 << 30)

static int compare(struct data *want, struct data *have)
{
    struct error err = {0};
    int failed = -1;
    int result = data_compare(want, have, &failed, &err);
    assert_int_not_equal(result, -1);
    data_close(want);
    data_close(have);
    return result;
}

static struct hash128 hash_of(struct data *d)
{
    struct error err = {0};
    struct hash128 hash;
    assert_int_equal(data_hash(d, &hash, &err), 0);
    data_close(d);
    return hash;
}

static bool same_hash(struct data *a, struct data *b)
{
    struct hash128 x = hash_of(a), y = hash_of(b);
    return x.low == y.low && x.high == y.high;
}

static void test_texts(void **state)
{
    (void)state;
    assert_int_equal(compare(memory_data_text("abc"), memory_data_text("abc")), 1);
    assert_int_equal(compare(memory_data_text("abc"), memory_data_text("abd")), 0);
    assert_int_equal(compare(memory_data_text("abc"), memory_data_text("abcd")), 0);
    assert_int_equal(compare(memory_data_text(""), memory_data_text("")), 1);
    assert_true(same_hash(memory_data_text("abc"), memory_data_text("abc")));
    assert_false(same_hash(memory_data_text("abc"), memory_data_text("abd")));
    assert_false(same_hash(memory_data_text(""), memory_data_text("a")));
}

/* A content of 300,000 bytes with data at three places, one of them zeros. */
static struct data *pieced(struct memory_options options)
{
    static const uint8_t zeros[5000];
    const struct memory_piece pieces[] = {{10, bytes_make("hello", 5)},
                                          {70000, bytes_make(zeros, sizeof zeros)},
                                          {262140, bytes_make("across a block", 14)}};
    options.size = 300000;
    return memory_data(&options, pieces, 3);
}

static void test_layout_does_not_matter(void **state)
{
    const struct memory_options plain = {0}, dense = {.dense = true};
    const struct memory_options small = {.most = 1000, .sequential = true};
    (void)state;
    assert_int_equal(compare(pieced(plain), pieced(dense)), 1);
    assert_int_equal(compare(pieced(dense), pieced(small)), 1);
    assert_int_equal(compare(pieced(small), pieced(small)), 1);
    assert_true(same_hash(pieced(plain), pieced(dense)));
    assert_true(same_hash(pieced(dense), pieced(small)));
}

static void test_last_byte_and_hole_differ(void **state)
{
    const struct memory_piece last = {299999, bytes_make("x", 1)};
    const struct memory_options options = {.size = 300000};
    (void)state;
    assert_int_equal(compare(memory_data(&options, &last, 1), memory_data(&options, NULL, 0)), 0);
    assert_false(same_hash(memory_data(&options, &last, 1), memory_data(&options, NULL, 0)));
    const struct memory_options longer = {.size = 300001};
    assert_false(same_hash(memory_data(&longer, NULL, 0), memory_data(&options, NULL, 0)));
}

static void test_hash_is_as_defined(void **state)
{
    struct error err = {0};
    struct hasher *h = NULL;
    uint8_t head[16] = {0}, size[8] = {5};
    (void)state;
    assert_int_equal(hasher_new(&h, &err), 0);
    head[8] = 5;
    hasher_add(h, head, sizeof head);
    hasher_add(h, "hello", 5);
    hasher_add(h, size, sizeof size);
    struct hash128 expected = hasher_result(h), got = hash_of(memory_data_text("hello"));
    assert_true(expected.low == got.low && expected.high == got.high);
    hasher_free(h);
}

static void test_holes_take_no_time(void **state)
{
    static const uint8_t block[4096] = {1};
    const struct memory_piece piece = {40 * GIB, bytes_make(block, sizeof block)};
    const struct memory_options options = {.size = 64 * GIB, .sequential = true};
    struct error err = {0};
    struct hash128 hash;
    int failed;
    (void)state;
    struct data *a = memory_data(&options, &piece, 1), *b = memory_data(&options, &piece, 1);
    assert_int_equal(data_compare(a, b, &failed, &err), 1);
    assert_int_equal(memory_data_read(a), sizeof block);
    data_close(a);
    data_close(b);
    a = memory_data(&options, &piece, 1);
    assert_int_equal(data_hash(a, &hash, &err), 0);
    assert_true(memory_data_read(a) <= 65536);
    data_close(a);
}

static void test_failed_side_is_named(void **state)
{
    const struct memory_options good = {0}, bad = {.fail_at = 70010, .dense = true};
    const struct memory_options cut = {.cut = 70010, .dense = true};
    struct error err = {0};
    int failed = -1;
    struct hash128 hash;
    (void)state;
    struct data *a = pieced(good), *b = pieced(bad), *c = pieced(cut);
    assert_int_equal(data_compare(a, b, &failed, &err), -1);
    assert_int_equal(failed, 1);
    assert_int_equal(err.kind, ERROR_OS);
    error_release(&err);
    assert_int_equal(data_compare(c, a, &failed, &err), -1);
    assert_int_equal(failed, 0);
    assert_int_equal(err.kind, ERROR_CHANGED);
    error_release(&err);
    assert_int_equal(data_hash(b, &hash, &err), -1);
    error_release(&err);
    data_close(a);
    data_close(b);
    data_close(c);
}

static void test_random_layouts(void **state)
{
    enum { SIZE = 400000, PIECES = 8 };
    (void)state;
    uint8_t *bytes = malloc(SIZE);
    assert_non_null(bytes);
    srand(7);
    for (int round = 0; round < 30; round++) {
        struct memory_piece pieces[PIECES];
        size_t at = 0;
        for (int i = 0; i < PIECES; i++) {
            at += 1 + (size_t)rand() % 40000;
            size_t size = 1 + (size_t)rand() % 9000;
            memset(bytes + at, rand() % 3, size);
            pieces[i] = (struct memory_piece){at, bytes_make(bytes + at, size)};
            at += size;
        }
        struct memory_options sparse = {.size = SIZE, .sequential = true};
        struct memory_options dense = {.size = SIZE, .dense = true, .most = 30000};
        assert_int_equal(
            compare(memory_data(&sparse, pieces, PIECES), memory_data(&dense, pieces, PIECES)), 1);
        assert_true(
            same_hash(memory_data(&sparse, pieces, PIECES), memory_data(&dense, pieces, PIECES)));
    }
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_layout_does_not_matter),
        cmocka_unit_test(test_last_byte_and_hole_differ),
        cmocka_unit_test(test_hash_is_as_defined),
        cmocka_unit_test(test_holes_take_no_time),
        cmocka_unit_test(test_failed_side_is_named),
        cmocka_unit_test(test_random_layouts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
