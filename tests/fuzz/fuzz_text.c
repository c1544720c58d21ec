/*
 * Whatever base/ reads from outside: what is accepted is written back to the same bytes, and what
 * is masked is safe.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_base64(struct bytes input)
{
    struct buffer raw = {0}, text = {0};

    if (!text_base64_decode(&raw, input, NULL)) {
        assert(!text_base64_encode(&text, buffer_bytes(&raw), NULL));
        assert(bytes_equal(buffer_bytes(&text), input));
    }
    buffer_release(&raw);
    buffer_release(&text);
}

static void check_time(struct bytes input)
{
    struct buffer text = {0};
    struct timestamp t, again;

    if (!text_parse_time(input, &t, NULL)) {
        assert(t.nanoseconds < 1000000000);
        assert(!text_append_time(&text, t, NULL));
        assert(!text_parse_time(buffer_bytes(&text), &again, NULL));
        assert(!timestamp_compare(t, again));
    }
    buffer_release(&text);
}

static void check_mask(struct bytes input)
{
    struct buffer masked = {0};

    assert(!text_mask(&masked, input, NULL));
    assert(text_is_utf8(buffer_bytes(&masked)));
    for (size_t i = 0; i < masked.size; i++)
        assert(masked.data[i] >= 0x20 && masked.data[i] != 0x7f);
    buffer_release(&masked);
}

static void check_numbers(struct bytes input)
{
    struct cursor c = {input.data, input.size};
    struct buffer text = {0};
    uint64_t value;
    struct bytes string;

    while (!cursor_varint(&c, &value, NULL))
        assert(!buffer_append_varint(&text, value, NULL));
    assert(text.size <= input.size);
    assert(bytes_equal(buffer_bytes(&text), bytes_make(input.data, text.size)));
    c = (struct cursor){input.data, input.size};
    while (!cursor_string(&c, &string, NULL))
        assert(string.size <= input.size);
    buffer_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = bytes_make(data, size);

    check_base64(input);
    check_time(input);
    check_mask(input);
    check_numbers(input);
    return 0;
}
