/*
 * input_tail.c: where each container keeps the tail, seen from the end of the file; the counterpart
 * of the finish functions of output_*.c.
 */
#include <string.h>

#include "archive/container.h"
#include "archive/input_decoder.h"

/* What is read at once of a tail's head. */
enum { HEAD_PIECE_BYTES = 16 << 10 };

static int damaged(struct error *err)
{
    return error_set(err, ERROR_FORMAT, "read tail", "the archive's tail is damaged");
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
};

static const struct wrapping plain_wrapping = {SIZE_MAX, 0, 0};
static const struct wrapping gzip_wrapping = {GZIP_TAIL_PIECE_BYTES, GZIP_TAIL_BEFORE_BYTES,
                                              GZIP_TAIL_BEHIND_BYTES};
static const struct wrapping zstd_wrapping = {ZSTD_TAIL_PIECE_BYTES, ZSTD_SKIPPABLE_HEADER_BYTES,
                                              0};

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

int input_tail_find(const struct input_raw *raw, enum container container, struct tail_place *out,
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
    if (tail_bytes > end)
        return damaged(err);
    uint64_t stored_bytes = tail_bytes + container_pieces(tail_bytes, w->piece_bytes) *
                                             (w->before_bytes + w->behind_bytes);
    if (stored_bytes > end)
        return damaged(err);
    out->container = container;
    out->range = (struct os_range){end - stored_bytes, (size_t)tail_bytes};
    return 1;
}

/* Where byte `at` of the tail stands in the file. */
static uint64_t place_of(const struct wrapping *w, struct os_range tail, uint64_t at)
{
    size_t first = container_piece_bytes(tail.bytes, w->piece_bytes);
    uint64_t piece = at < first ? 0 : 1 + (at - first) / w->piece_bytes;

    return tail.offset + at + piece * (w->before_bytes + w->behind_bytes) + w->before_bytes;
}

/* Takes the wrapping out of the bytes that were read from byte `at` of the tail on. */
static void unwrap(const struct wrapping *w, struct os_range tail, struct os_range part,
                   uint8_t *bytes)
{
    uint64_t start = place_of(w, tail, part.offset), at = part.offset;
    size_t done = 0;

    while (done < part.bytes) {
        /* All pieces behind this one are full. */
        size_t in_piece = container_piece_bytes(tail.bytes - at, w->piece_bytes);
        size_t count = in_piece < part.bytes - done ? in_piece : part.bytes - done;

        memmove(bytes + done, bytes + (place_of(w, tail, at) - start), count);
        done += count;
        at += count;
    }
}

int input_tail_read(const struct input_raw *raw, const struct tail_place *tail,
                    struct os_range part, struct buffer *out, struct error *err)
{
    const struct wrapping *w = wrapping_of(tail->container);
    size_t got;

    if (part.offset > tail->range.bytes || part.bytes > tail->range.bytes - part.offset)
        return damaged(err);
    if (part.bytes == 0)
        return 0;
    uint64_t start = place_of(w, tail->range, part.offset);
    uint64_t end = place_of(w, tail->range, part.offset + part.bytes - 1) + 1;
    struct os_range range = {start, (size_t)(end - start)};

    if (buffer_reserve(out, range.bytes, err) ||
        os_read_at(raw->handle, range, out->data + out->size, &got, err))
        return -1;
    if (got != range.bytes)
        return error_set(err, ERROR_CHANGED, "read tail", "the archive became shorter");
    unwrap(w, tail->range, part, out->data + out->size);
    out->size += part.bytes;
    return 0;
}

int input_tail_head(const struct input_raw *raw, const struct tail_place *tail,
                    struct tail_reader *reader, struct error *err)
{
    struct buffer piece = {0};
    struct os_range part = {0, HEAD_PIECE_BYTES};
    int result = 0;

    while (result == 0 && part.offset < tail->range.bytes && !tail_reader_has_head(reader)) {
        if (part.bytes > tail->range.bytes - part.offset)
            part.bytes = (size_t)(tail->range.bytes - part.offset);
        buffer_clear(&piece);
        result = input_tail_read(raw, tail, part, &piece, err);
        if (result == 0)
            result = tail_reader_feed(reader, buffer_bytes(&piece), err);
        part.offset += part.bytes;
    }
    if (result == 0 && !tail_reader_has_head(reader))
        result = tail_reader_end(reader, err) < 0 ? -1 : damaged(err);
    buffer_release(&piece);
    return result;
}
