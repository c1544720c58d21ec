/*
 * container.c: see container.h.
 */
#include "archive/container.h"

#include <string.h>

uint64_t container_pieces(uint64_t tail_bytes, size_t piece_bytes)
{
    return tail_bytes / piece_bytes + (tail_bytes % piece_bytes != 0);
}

size_t container_piece_bytes(uint64_t left, size_t piece_bytes)
{
    size_t rest = (size_t)(left % piece_bytes);
    return rest != 0 ? rest : piece_bytes;
}

uint32_t container_u32(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

void container_put_u32(uint8_t *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static int append_seek_entry(struct buffer *table, uint64_t stored_bytes, uint64_t raw_bytes,
                             struct error *err)
{
    if (buffer_append_u32(table, (uint32_t)stored_bytes, err))
        return -1;
    return buffer_append_u32(table, (uint32_t)raw_bytes, err);
}

/* An entry for each frame of the file before the table: the stream's and the tail's pieces. */
static int append_seek_entries(struct buffer *table, const struct tail *t, size_t tail_bytes,
                               struct error *err)
{
    for (size_t i = 0; i < t->frame_count; i++)
        if (append_seek_entry(table, t->frames[i].stored_bytes, t->frames[i].raw_bytes, err))
            return -1;
    while (tail_bytes != 0) {
        size_t piece = container_piece_bytes(tail_bytes, ZSTD_TAIL_PIECE_BYTES);
        if (append_seek_entry(table, piece + ZSTD_SKIPPABLE_HEADER_BYTES, 0, err))
            return -1;
        tail_bytes -= piece;
    }
    return 0;
}

int container_seek_table(struct buffer *out, const struct tail *t, size_t tail_bytes,
                         struct error *err)
{
    uint64_t count = t->frame_count + container_pieces(tail_bytes, ZSTD_TAIL_PIECE_BYTES);
    uint64_t content = count * ZSTD_SEEK_ENTRY_BYTES + ZSTD_SEEK_FOOTER_BYTES;

    if (buffer_append_u32(out, ZSTD_SEEK_TABLE_MAGIC, err) ||
        buffer_append_u32(out, (uint32_t)content, err) ||
        append_seek_entries(out, t, tail_bytes, err) ||
        buffer_append_u32(out, (uint32_t)count, err) || buffer_append_byte(out, 0, err))
        return -1;
    return buffer_append_u32(out, ZSTD_SEEK_FOOTER_MAGIC, err);
}

void container_gzip_head(uint8_t out[GZIP_TAIL_BEFORE_BYTES], size_t piece_bytes)
{
    enum { DEFLATED = 8, FLAG_EXTRA = 4 };
    size_t subfield = piece_bytes + 4;
    const uint8_t head[GZIP_TAIL_BEFORE_BYTES] = {0x1f,
                                                  0x8b,
                                                  DEFLATED,
                                                  FLAG_EXTRA,
                                                  0,
                                                  0,
                                                  0,
                                                  0,
                                                  0,
                                                  GZIP_UNKNOWN_SYSTEM,
                                                  (uint8_t)subfield,
                                                  (uint8_t)(subfield >> 8),
                                                  GZIP_TAIL_ID_1,
                                                  GZIP_TAIL_ID_2,
                                                  (uint8_t)piece_bytes,
                                                  (uint8_t)(piece_bytes >> 8)};

    memcpy(out, head, sizeof head);
}
