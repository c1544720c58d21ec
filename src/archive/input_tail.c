/*
 * input_tail.c: where each container keeps the tail, seen from the end of the file; the counterpart
 * of the finish functions of output_*.c.
 */
#include "archive/container.h"
#include "archive/input_decoder.h"

static int damaged(struct error *err)
{
    return error_set(err, ERROR_FORMAT, "read tail", "the archive's tail is damaged");
}

/* Appends a range of the file. */
static int read_range(const struct input_raw *raw, uint64_t offset, size_t count,
                      struct buffer *out, struct error *err)
{
    struct os_range range = {offset, count};
    size_t got;

    if (buffer_reserve(out, count, err) ||
        os_read_at(raw->handle, range, out->data + out->size, &got, err))
        return -1;
    if (got != count)
        return error_set(err, ERROR_CHANGED, "read tail", "the archive became shorter");
    out->size += count;
    return 0;
}

/* Reads `count` bytes that end at `end`; 0 if the file is too short. */
static int read_before(const struct input_raw *raw, uint64_t end, size_t count, uint8_t *bytes,
                       struct error *err)
{
    struct os_range range = {end - count, count};
    size_t got;

    if (end < count)
        return 0;
    if (os_read_at(raw->handle, range, bytes, &got, err))
        return -1;
    return got == count;
}

/* How a container wraps each piece of the tail. */
struct wrapping {
    size_t piece_bytes, before_bytes, behind_bytes;
    bool (*is_header)(const uint8_t *before, size_t piece_bytes);
};

static bool is_gzip_header(const uint8_t *before, size_t piece_bytes)
{
    size_t extra = before[10] | (size_t)before[11] << 8,
           length = before[14] | (size_t)before[15] << 8;

    return before[0] == 0x1f && before[1] == 0x8b && before[12] == GZIP_TAIL_ID_1 &&
           before[13] == GZIP_TAIL_ID_2 && length == piece_bytes && extra == length + 4;
}

static bool is_zstd_header(const uint8_t *before, size_t piece_bytes)
{
    return container_u32(before) == ZSTD_TAIL_MAGIC && container_u32(before + 4) == piece_bytes;
}

static const struct wrapping plain_wrapping = {SIZE_MAX, 0, 0, NULL};
static const struct wrapping gzip_wrapping = {GZIP_TAIL_PIECE_BYTES, GZIP_TAIL_BEFORE_BYTES,
                                              GZIP_TAIL_BEHIND_BYTES, is_gzip_header};
static const struct wrapping zstd_wrapping = {ZSTD_TAIL_PIECE_BYTES, ZSTD_SKIPPABLE_HEADER_BYTES, 0,
                                              is_zstd_header};

/* Where the seek table begins, which is where the tail ends: 1, 0 if there is none, -1. */
static int find_seek_table(const struct input_raw *raw, uint64_t *end, struct error *err)
{
    uint8_t footer[ZSTD_SEEK_FOOTER_BYTES], header[ZSTD_SKIPPABLE_HEADER_BYTES];

    int found = read_before(raw, raw->file_bytes, sizeof footer, footer, err);
    if (found <= 0)
        return found;
    if (container_u32(footer + 5) != ZSTD_SEEK_FOOTER_MAGIC)
        return 0;
    uint64_t entry = ZSTD_SEEK_ENTRY_BYTES + (footer[4] & 0x80 ? ZSTD_SEEK_CHECKSUM_BYTES : 0);
    uint64_t content = container_u32(footer) * entry + ZSTD_SEEK_FOOTER_BYTES;
    if (content > raw->file_bytes)
        return 0;
    *end = raw->file_bytes - content;
    found = read_before(raw, *end, sizeof header, header, err);
    if (found <= 0)
        return found;
    *end -= sizeof header;
    return container_u32(header) == ZSTD_SEEK_TABLE_MAGIC && container_u32(header + 4) == content;
}

static const struct wrapping *wrapping_of(enum container container)
{
    switch (container) {
    case CONTAINER_GZIP:
        return &gzip_wrapping;
    case CONTAINER_ZSTD:
        return &zstd_wrapping;
    case CONTAINER_PLAIN:
        break;
    }
    return &plain_wrapping;
}

/* Appends the pieces, the last of which ends (with its wrapping) at `end`. */
static int read_pieces(const struct input_raw *raw, const struct wrapping *w, struct os_range tail,
                       struct buffer *out, struct error *err)
{
    uint8_t before[GZIP_TAIL_BEFORE_BYTES];
    uint64_t offset = tail.offset;

    for (size_t left = tail.bytes; left != 0;) {
        size_t piece = container_piece_bytes(left, w->piece_bytes);
        offset += w->before_bytes;
        if (w->is_header) {
            int found = read_before(raw, offset, w->before_bytes, before, err);
            if (found < 0)
                return -1;
            if (found == 0 || !w->is_header(before, piece))
                return damaged(err);
        }
        if (read_range(raw, offset, piece, out, err))
            return -1;
        offset += piece + w->behind_bytes;
        left -= piece;
    }
    return 0;
}

int input_tail_find(const struct input_raw *raw, enum container container, struct os_range *out,
                    struct error *err)
{
    const struct wrapping *w = wrapping_of(container);
    uint8_t trailer[TAIL_TRAILER_BYTES];
    uint64_t end = raw->file_bytes, tail_bytes;

    int found = container == CONTAINER_ZSTD ? find_seek_table(raw, &end, err) : 1;
    if (found <= 0 || end < w->behind_bytes)
        return found < 0 ? -1 : 0;
    found = read_before(raw, end - w->behind_bytes, sizeof trailer, trailer, err);
    if (found == 1)
        found = tail_trailer(bytes_make(trailer, sizeof trailer), &tail_bytes, err);
    if (found <= 0)
        return found;
    if (tail_bytes > INPUT_MAX_TAIL_BYTES)
        return error_set(err, ERROR_LIMIT, "read tail", "the archive's tail is over 1 GiB");
    uint64_t stored_bytes = tail_bytes + container_pieces(tail_bytes, w->piece_bytes) *
                                             (w->before_bytes + w->behind_bytes);
    if (stored_bytes > end)
        return damaged(err);
    out->offset = end - stored_bytes;
    out->bytes = (size_t)tail_bytes;
    return 1;
}

int input_tail_at_end(const struct input_raw *raw, enum container container, struct buffer *out,
                      struct error *err)
{
    struct os_range tail;

    int found = input_tail_find(raw, container, &tail, err);
    if (found == 1 && read_pieces(raw, wrapping_of(container), tail, out, err))
        return -1;
    return found;
}
