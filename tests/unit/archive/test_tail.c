/*
 * The tail: what is encoded comes back; what is damaged, cut or malicious is an error, never a
 * crash or a large allocation.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include <zstd.h>

#include "archive/tail.h"
#include "support/check.h"

static struct error err;

static const struct root_fact roots[] = {
    {"home", "/srv/home", "ext4", "0123-4567"},
    {"odd\xff\nname", "", "", ""},
};

static const struct frame frames[] = {
    {0, 1000, 0, 8 << 20, 0x1122334455667788},
    {1000, 70000, 8 << 20, 12345, 0},
    {80000, 5, UINT64_C(1) << 40, UINT64_C(1) << 33, UINT64_MAX},
};

static const struct tail_loss losses[] = {
    {{(const uint8_t *)"home/a\0b", 8}, {(const uint8_t *)"unreadable", 10}},
    {{NULL, 0}, {(const uint8_t *)"", 0}},
};

static struct tail sample(void)
{
    return (struct tail){
        .container = CONTAINER_GZIP,
        .facts = {.roots = roots,
                  .root_count = 2,
                  .host_system = "linux",
                  .ordered = true,
                  .complete_metadata = true},
        .entries = 17,
        .file_bytes = UINT64_MAX,
        .kinds = {1, 2, 3, 4, 5, 6, 7, 8},
        .further_names = 300,
        .raw_bytes = UINT64_C(1) << 50,
        .raw_hash = {UINT64_C(0x0123456789abcdef), UINT64_MAX},
        .frames = frames,
        .frame_count = 3,
        .losses = losses,
        .loss_count = 2,
    };
}

static void check_facts(const struct source_facts *got, const struct source_facts *wanted)
{
    assert_int_equal(got->root_count, wanted->root_count);
    for (size_t i = 0; i < wanted->root_count; i++) {
        assert_string_equal(got->roots[i].name, wanted->roots[i].name);
        assert_string_equal(got->roots[i].absolute_path, wanted->roots[i].absolute_path);
        assert_string_equal(got->roots[i].file_system, wanted->roots[i].file_system);
        assert_string_equal(got->roots[i].volume, wanted->roots[i].volume);
    }
    assert_string_equal(got->host_system, wanted->host_system);
    assert_int_equal(got->ordered, wanted->ordered);
    assert_int_equal(got->names_known, wanted->names_known);
    assert_int_equal(got->complete_metadata, wanted->complete_metadata);
    assert_false(got->sequential);
}

static void check_equal(const struct tail *got, const struct tail *wanted)
{
    check_facts(&got->facts, &wanted->facts);
    assert_int_equal(got->container, wanted->container);
    assert_int_equal(got->entries, wanted->entries);
    assert_int_equal(got->file_bytes, wanted->file_bytes);
    assert_int_equal(got->further_names, wanted->further_names);
    assert_int_equal(got->raw_bytes, wanted->raw_bytes);
    assert_int_equal(got->raw_hash.low, wanted->raw_hash.low);
    assert_int_equal(got->raw_hash.high, wanted->raw_hash.high);
    assert_memory_equal(got->kinds, wanted->kinds, sizeof got->kinds);
    assert_int_equal(got->frame_count, wanted->frame_count);
    assert_memory_equal(got->frames, wanted->frames, wanted->frame_count * sizeof *wanted->frames);
    assert_int_equal(got->loss_count, wanted->loss_count);
    for (size_t i = 0; i < wanted->loss_count; i++) {
        assert_true(bytes_equal(got->losses[i].path, wanted->losses[i].path));
        assert_true(bytes_equal(got->losses[i].reason, wanted->losses[i].reason));
    }
}

static void encode(struct buffer *out, const struct tail *t)
{
    check_done(tail_encode(out, t, &err));
}

static struct bytes trailer_of(const struct buffer *b)
{
    return bytes_make(b->data + b->size - TAIL_TRAILER_BYTES, TAIL_TRAILER_BYTES);
}

static void check_round_trip(const struct tail *t)
{
    struct buffer bytes = {0};
    struct tail_memory *memory;
    uint64_t tail_bytes;

    encode(&bytes, t);
    assert_int_equal(check_done(tail_trailer(trailer_of(&bytes), &tail_bytes, &err)), 1);
    assert_int_equal(tail_bytes, bytes.size);
    check_done(tail_decode(buffer_bytes(&bytes), &memory, &err));
    check_equal(tail_of(memory), t);
    tail_free(memory);
    buffer_release(&bytes);
}

static void test_round_trip(void **state)
{
    (void)state;
    struct tail full = sample(), empty = {.facts = {.host_system = ""}};

    check_round_trip(&full);
    check_round_trip(&empty);
}

/* Losses that compress better than the decoder lets pass are stored as they are. */
static void test_very_even_losses(void **state)
{
    (void)state;
    enum { COUNT = 100, PATH_BYTES = 1 << 20 };
    uint8_t *path = calloc(1, PATH_BYTES);
    struct tail_loss *even = calloc(COUNT, sizeof *even);
    struct tail t = {.facts = {.host_system = ""}, .losses = even, .loss_count = COUNT};

    assert_non_null(path);
    assert_non_null(even);
    for (size_t i = 0; i < COUNT; i++)
        even[i].path = bytes_make(path, PATH_BYTES);
    check_round_trip(&t);
    free(even);
    free(path);
}

static void test_frames_out_of_order(void **state)
{
    (void)state;
    struct frame wrong[] = {{10, 10, 0, 10, 0}, {15, 10, 10, 10, 0}};
    struct tail t = {.frames = wrong, .frame_count = 2};
    struct buffer bytes = {0};

    check_kind(tail_encode(&bytes, &t, &err), ERROR_USAGE);
    buffer_release(&bytes);
}

static void check_refused(struct bytes bytes)
{
    struct tail_memory *memory;

    assert_int_equal(tail_decode(bytes, &memory, &err), -1);
    error_release(&err);
}

static void test_each_flipped_byte(void **state)
{
    (void)state;
    struct tail t = sample();
    struct buffer bytes = {0};

    encode(&bytes, &t);
    for (size_t i = 0; i < bytes.size; i++) {
        bytes.data[i] ^= 0x40;
        check_refused(buffer_bytes(&bytes));
        bytes.data[i] ^= 0x40;
    }
    buffer_release(&bytes);
}

static void test_each_cut(void **state)
{
    (void)state;
    struct tail t = sample();
    struct buffer bytes = {0};

    encode(&bytes, &t);
    for (size_t i = 1; i < bytes.size; i++) {
        check_refused(bytes_make(bytes.data, i));
        check_refused(bytes_make(bytes.data + i, bytes.size - i));
    }
    buffer_release(&bytes);
}

static void test_trailers(void **state)
{
    (void)state;
    struct tail t = sample();
    struct buffer bytes = {0};
    uint8_t other[TAIL_TRAILER_BYTES] = {0};
    uint64_t length;

    assert_int_equal(check_done(tail_trailer(bytes_make(other, sizeof other), &length, &err)), 0);
    assert_int_equal(check_done(tail_trailer(bytes_make(other, 5), &length, &err)), 0);
    encode(&bytes, &t);
    bytes.data[bytes.size - 20] ^= 1;
    check_kind(tail_trailer(trailer_of(&bytes), &length, &err), ERROR_FORMAT);
    buffer_release(&bytes);
}

/* ---- Tails whose checksums are right and whose content is not ---- */

/* Appends a block around `stored`. */
static void forge_block(struct buffer *out, uint32_t type, uint64_t raw_bytes, struct bytes stored)
{
    check_done(buffer_append_u32(out, type, &err));
    check_done(buffer_append_u32(out, 1, &err));
    check_done(buffer_append_u64(out, raw_bytes, &err));
    check_done(buffer_append_u64(out, stored.size, &err));
    check_done(buffer_append_u64(out, XXH3_64bits(stored.data, stored.size), &err));
    check_done(buffer_append(out, stored.data, stored.size, &err));
}

static void forge_trailer(struct buffer *out, uint32_t blocks)
{
    uint64_t checksum = XXH3_64bits(out->data, out->size), length = out->size + TAIL_TRAILER_BYTES;
    size_t start = out->size;

    check_done(buffer_append(out, "HOLDTAIL", 8, &err));
    check_done(buffer_append_u32(out, 1, &err));
    check_done(buffer_append_u32(out, blocks, &err));
    check_done(buffer_append_u64(out, length, &err));
    check_done(buffer_append_u64(out, checksum, &err));
    check_done(buffer_append_u64(out, 0, &err));
    check_done(buffer_append_u64(out, XXH3_64bits(out->data + start, 40), &err));
}

enum { SUMMARY = 0x46480001, FRAMES = 0x46480002, LOSSES = 0x46480003, LATER = 0x46480099 };
static const uint8_t summary[] = {0, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                  0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0};

/* A tail of the summary above and one more block. */
static void forge(struct buffer *out, uint32_t type, uint64_t raw_bytes, struct bytes stored)
{
    buffer_clear(out);
    forge_block(out, SUMMARY, sizeof summary, bytes_make(summary, sizeof summary));
    forge_block(out, type, raw_bytes, stored);
    forge_trailer(out, 2);
}

static void test_later_blocks_are_passed_over(void **state)
{
    (void)state;
    struct buffer bytes = {0};
    struct tail_memory *memory;

    forge(&bytes, LATER, 3, bytes_make("abc", 3));
    check_done(tail_decode(buffer_bytes(&bytes), &memory, &err));
    assert_int_equal(tail_of(memory)->entries, 1);
    assert_int_equal(tail_of(memory)->raw_bytes, 4);
    tail_free(memory);
    buffer_release(&bytes);
}

static void test_hostile_blocks(void **state)
{
    (void)state;
    static const uint8_t many[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1};
    static const uint8_t far[] = {2, 0,    1,    0,    1,    0,    0,    0,    0,    0,    0, 0,
                                  0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0,
                                  0, 0,    0,    0,    0,    0,    0,    0,    0,    0};
    struct buffer bytes = {0};

    forge(&bytes, FRAMES, sizeof many, bytes_make(many, sizeof many));
    check_refused(buffer_bytes(&bytes));
    forge(&bytes, LOSSES, sizeof many, bytes_make(many, sizeof many));
    check_refused(buffer_bytes(&bytes));
    forge(&bytes, FRAMES, sizeof far, bytes_make(far, sizeof far));
    check_refused(buffer_bytes(&bytes));
    forge(&bytes, SUMMARY, sizeof summary, bytes_make(summary, sizeof summary));
    check_refused(buffer_bytes(&bytes));
    forge(&bytes, LOSSES, UINT64_MAX, bytes_make("abc", 3));
    check_refused(buffer_bytes(&bytes));
    forge(&bytes, LOSSES, 50 << 20, bytes_make("abc", 3));
    check_refused(buffer_bytes(&bytes));
    buffer_release(&bytes);
}

/* A few kilobytes that would decompress to a quarter of a gigabyte. */
static void test_bomb(void **state)
{
    (void)state;
    enum { RAW_BYTES = 256 << 20 };
    struct buffer bytes = {0}, stored = {0};
    uint8_t *zeros = calloc(1, RAW_BYTES);

    assert_non_null(zeros);
    check_done(buffer_reserve(&stored, 1 << 20, &err));
    stored.size = ZSTD_compress(stored.data, stored.capacity, zeros, RAW_BYTES, 1);
    free(zeros);
    assert_false(ZSTD_isError(stored.size));
    forge(&bytes, LOSSES, RAW_BYTES, buffer_bytes(&stored));
    struct tail_memory *memory;
    check_kind(tail_decode(buffer_bytes(&bytes), &memory, &err), ERROR_LIMIT);
    buffer_release(&stored);
    buffer_release(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_very_even_losses),
        cmocka_unit_test(test_frames_out_of_order),
        cmocka_unit_test(test_each_flipped_byte),
        cmocka_unit_test(test_each_cut),
        cmocka_unit_test(test_trailers),
        cmocka_unit_test(test_later_blocks_are_passed_over),
        cmocka_unit_test(test_hostile_blocks),
        cmocka_unit_test(test_bomb),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
