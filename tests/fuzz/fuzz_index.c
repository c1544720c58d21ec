/*
 * The decoder of the index: two bytes say how long the head is; behind it stands the content of its
 * first block. What is decoded can be encoded, and the new bytes say the same.
 */
#include <assert.h>

#include "archive/index_sum.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Sums up a block; appends its entries, encoded anew, if there is an `out`. False if it is damaged.
 */
static bool sum_block(const struct index_head *head, const struct index_block *block,
                      struct bytes content, struct index_sum *sum, struct buffer *out)
{
    struct index_cursor cursor = {0};
    struct buffer path = {0};
    struct error err = {0};
    const struct index_item *item;
    int more;

    index_cursor_begin(&cursor, head, block, content);
    while ((more = index_cursor_next(&cursor, &item, &err)) == 1) {
        assert(!index_sum_add(sum, item, NULL));
        if (item->entry.has_data_hash)
            index_sum_content(sum, item->entry.data_hash);
        if (out)
            assert(!index_item_encode(out, buffer_bytes(&path), item, NULL));
        buffer_clear(&path);
        assert(!buffer_append(&path, item->entry.path.data, item->entry.path.size, NULL));
    }
    error_release(&err);
    buffer_release(&path);
    index_cursor_release(&cursor);
    return more == 0;
}

static void check_block(const struct index_head *head, struct bytes content)
{
    struct buffer again = {0};
    struct index_sum first, second;

    assert(!index_sum_init(&first, NULL) && !index_sum_init(&second, NULL));
    if (sum_block(head, &head->blocks[0], content, &first, &again)) {
        assert(sum_block(head, &head->blocks[0], buffer_bytes(&again), &second, NULL));
        assert(index_sum_entries_equal(&first, &second));
        assert(index_sum_contents_equal(&first, &second));
    }
    index_sum_release(&first);
    index_sum_release(&second);
    buffer_release(&again);
}

static void check_head(const struct index_head *head)
{
    struct buffer first = {0}, second = {0};
    struct index_head_memory *memory;

    assert(!index_head_encode(&first, head, NULL));
    assert(!index_head_decode(buffer_bytes(&first), 0, &memory, NULL));
    assert(!index_head_encode(&second, index_head_of(memory), NULL));
    assert(bytes_equal(buffer_bytes(&first), buffer_bytes(&second)));
    index_head_free(memory);
    buffer_release(&first);
    buffer_release(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct index_head_memory *memory;
    struct error err = {0};

    if (size < 2)
        return 0;
    size_t head_bytes = data[0] | (size_t)data[1] << 8;

    if (head_bytes > size - 2)
        head_bytes = size - 2;
    if (!index_head_decode(bytes_make(data + 2, head_bytes), 0, &memory, &err)) {
        check_head(index_head_of(memory));
        if (index_head_of(memory)->block_count != 0)
            check_block(index_head_of(memory),
                        bytes_make(data + 2 + head_bytes, size - 2 - head_bytes));
        index_head_free(memory);
    }
    error_release(&err);
    return 0;
}
