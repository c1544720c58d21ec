/*
 * tail_block.c: encoder and decoder of a block, side by side.
 */
#include "archive/tail_block.h"

#include <stdlib.h>
#include <xxhash.h>
#include <zstd.h>

enum { COMPRESSION_LEVEL = 1 };

int tail_damaged(struct error *err, const char *what)
{
    return error_set(err, ERROR_FORMAT, "read tail", "the archive's tail is damaged: %s", what);
}

bool tail_totals_plausible(const struct tail_totals *t)
{
    return t->raw_bytes <= (UINT64_C(64) << 20) || t->raw_bytes / 256 <= t->stored_bytes;
}

static int append_stored(struct buffer *out, const struct tail_block *b, struct bytes stored,
                         struct error *err)
{
    if (buffer_append_u32(out, b->type, err) || buffer_append_u32(out, b->version, err) ||
        buffer_append_u64(out, b->raw_bytes, err) || buffer_append_u64(out, b->stored_bytes, err) ||
        buffer_append_u64(out, b->checksum, err))
        return -1;
    return buffer_append(out, stored.data, stored.size, err);
}

int tail_block_append(struct buffer *out, uint32_t type, struct bytes content,
                      struct tail_totals *totals, struct error *err)
{
    size_t capacity = ZSTD_compressBound(content.size);
    void *room = malloc(capacity);
    struct bytes stored = content;

    if (!room)
        return error_memory(err);
    size_t size = ZSTD_compress(room, capacity, content.data, content.size, COMPRESSION_LEVEL);
    if (ZSTD_isError(size)) {
        free(room);
        return error_set(err, ERROR_MEMORY, "compress", "%s", ZSTD_getErrorName(size));
    }
    struct tail_totals with = {totals->raw_bytes + content.size, totals->stored_bytes + size};
    if (size < content.size && tail_totals_plausible(&with))
        stored = bytes_make(room, size);
    totals->raw_bytes += content.size;
    totals->stored_bytes += stored.size;
    struct tail_block b = {type, TAIL_BLOCK_VERSION, content.size, stored.size,
                           XXH3_64bits(stored.data, stored.size)};
    int result = append_stored(out, &b, stored, err);
    free(room);
    return result;
}

int tail_block_header(struct cursor *c, struct tail_block *out, struct error *err)
{
    if (cursor_u32(c, &out->type, err) || cursor_u32(c, &out->version, err) ||
        cursor_u64(c, &out->raw_bytes, err) || cursor_u64(c, &out->stored_bytes, err) ||
        cursor_u64(c, &out->checksum, err))
        return -1;
    if (out->stored_bytes > out->raw_bytes || out->raw_bytes > SIZE_MAX / 2)
        return tail_damaged(err, "a block's length makes no sense");
    return 0;
}

/* Decompresses; the frame's own word on its size is asked before memory is. */
static int decompress(size_t raw_bytes, struct bytes stored, struct buffer *memory,
                      struct error *err)
{
    if (ZSTD_getFrameContentSize(stored.data, stored.size) != raw_bytes)
        return tail_damaged(err, "a block's length is wrong");
    buffer_clear(memory);
    if (buffer_reserve(memory, raw_bytes, err))
        return -1;
    size_t got = ZSTD_decompress(memory->data, raw_bytes, stored.data, stored.size);
    if (ZSTD_isError(got) || got != raw_bytes)
        return tail_damaged(err, "a block cannot be decompressed");
    memory->size = got;
    return 0;
}

int tail_block_check(const struct tail_block *b, struct bytes stored, struct error *err)
{
    if (stored.size != b->stored_bytes || b->checksum != XXH3_64bits(stored.data, stored.size))
        return tail_damaged(err, "a block's checksum is wrong");
    return 0;
}

int tail_block_content(const struct tail_block *b, struct bytes stored, struct buffer *memory,
                       struct bytes *out, struct error *err)
{
    if (tail_block_check(b, stored, err))
        return -1;
    *out = stored;
    if (b->raw_bytes == b->stored_bytes)
        return 0;
    if (decompress((size_t)b->raw_bytes, stored, memory, err))
        return -1;
    *out = buffer_bytes(memory);
    return 0;
}
