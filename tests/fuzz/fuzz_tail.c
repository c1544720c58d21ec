/*
 * The decoder of the tail. The first byte says what the rest is: a whole tail, or the content of
 * one block, for which right checksums are made, so that they do not keep the fuzzer out.
 */
#include <assert.h>
#include <string.h>
#include <xxhash.h>

#include "archive/tail.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TYPE_COUNT = 5 };
static const uint32_t types[TYPE_COUNT] = {0x46480001, 0x46480002, 0x46480003, 0x46480004,
                                           0x46480006};

/* A summary that holds nothing. */
static const uint8_t summary[33] = {[24] = 8};

static void add_block(struct buffer *out, uint32_t type, uint64_t raw_bytes, struct bytes stored)
{
    assert(!buffer_append_u32(out, type, NULL));
    assert(!buffer_append_u32(out, 1, NULL));
    assert(!buffer_append_u64(out, raw_bytes, NULL));
    assert(!buffer_append_u64(out, stored.size, NULL));
    assert(!buffer_append_u64(out, XXH3_64bits(stored.data, stored.size), NULL));
    assert(!buffer_append(out, stored.data, stored.size, NULL));
}

static void add_trailer(struct buffer *out, uint32_t blocks)
{
    uint64_t checksum = XXH3_64bits(out->data, out->size), length = out->size + TAIL_TRAILER_BYTES;
    size_t start = out->size;

    assert(!buffer_append(out, "HOLDTAIL", 8, NULL));
    assert(!buffer_append_u32(out, 1, NULL));
    assert(!buffer_append_u32(out, blocks, NULL));
    assert(!buffer_append_u64(out, length, NULL));
    assert(!buffer_append_u64(out, checksum, NULL));
    assert(!buffer_append_u64(out, 0, NULL));
    assert(!buffer_append_u64(out, XXH3_64bits(out->data + start, 40), NULL));
}

/* What was decoded can be encoded, and the new bytes say the same. */
static void check_again(const struct tail *t)
{
    struct buffer first = {0}, second = {0};
    struct tail_memory *memory;

    assert(!tail_encode(&first, t, NULL));
    assert(!tail_decode(buffer_bytes(&first), &memory, NULL));
    assert(!tail_encode(&second, tail_of(memory), NULL));
    assert(bytes_equal(buffer_bytes(&first), buffer_bytes(&second)));
    tail_free(memory);
    buffer_release(&first);
    buffer_release(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer bytes = {0};
    struct error err = {0};
    struct tail_memory *memory;

    if (size == 0)
        return 0;
    struct bytes content = bytes_make(data + 1, size - 1);
    unsigned choice = data[0] % (TYPE_COUNT + 1);
    if (choice == TYPE_COUNT) {
        assert(!buffer_append(&bytes, content.data, content.size, NULL));
    } else {
        if (choice != 0)
            add_block(&bytes, types[0], sizeof summary, bytes_make(summary, sizeof summary));
        add_block(&bytes, types[choice], content.size, content);
        add_trailer(&bytes, choice != 0 ? 2 : 1);
    }
    if (!tail_decode(buffer_bytes(&bytes), &memory, &err)) {
        check_again(tail_of(memory));
        tail_free(memory);
    }
    error_release(&err);
    buffer_release(&bytes);
    return 0;
}
