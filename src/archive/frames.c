/*
 * frames.c: one frame after the other, under one lock.
 */
#include "archive/frames.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#ifndef ZLIB_CONST
#define ZLIB_CONST
#endif
#include <zlib.h>
#include <zstd.h>

#include "archive/output.h"
#include "os/thread.h"

/* Two: files are read in order, and one may lie across a cut. */
enum { KEPT_FRAMES = 2, GZIP_WINDOW_BITS = 15 + 16 };

struct kept_frame {
    const struct frame *frame; /* NULL: none */
    uint8_t *bytes;            /* frames.largest, once needed */
    uint64_t used;             /* when, in calls */
};

struct frames {
    os_handle handle;
    const struct tail *tail;
    struct os_mutex *lock;
    struct kept_frame kept[KEPT_FRAMES];
    struct buffer stored; /* a frame as it is in the archive */
    ZSTD_DCtx *zstd;      /* once needed */
    z_stream gzip;        /* once needed */
    bool has_gzip;
    uint64_t calls;
    size_t largest; /* frame's bytes in the stream, FRAME_HARD_BYTES at most */
};

int frames_new(os_handle handle, const struct tail *tail, struct frames **out, struct error *err)
{
    struct frames *f = calloc(1, sizeof *f);

    if (!f)
        return error_memory(err);
    f->handle = handle;
    f->tail = tail;
    f->largest = 1;
    for (size_t i = 0; i < tail->frame_count; i++) {
        uint64_t bytes = tail->frames[i].raw_bytes;

        if (bytes <= FRAME_HARD_BYTES && bytes > f->largest)
            f->largest = (size_t)bytes;
    }
    if (os_mutex_new(&f->lock, err)) {
        free(f);
        return -1;
    }
    *out = f;
    return 0;
}

void frames_free(struct frames *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < KEPT_FRAMES; i++)
        free(f->kept[i].bytes);
    buffer_release(&f->stored);
    ZSTD_freeDCtx(f->zstd);
    if (f->has_gzip)
        inflateEnd(&f->gzip);
    os_mutex_free(f->lock);
    free(f);
}

static int damaged(const struct frame *frame, const char *what, struct error *err)
{
    return error_set(err, ERROR_FORMAT, "read archive",
                     "bytes %" PRIu64 " to %" PRIu64 " of the archive are damaged: %s",
                     frame->stored_offset, frame->stored_offset + frame->stored_bytes, what);
}

static int read_stored(struct frames *f, const struct frame *frame, struct error *err)
{
    struct os_range range = {frame->stored_offset, (size_t)frame->stored_bytes};
    size_t got;

    buffer_clear(&f->stored);
    if (buffer_reserve(&f->stored, range.bytes, err) ||
        os_read_at(f->handle, range, f->stored.data, &got, err))
        return -1;
    if (got != range.bytes)
        return damaged(frame, "it is cut short", err);
    f->stored.size = got;
    if (XXH3_64bits(f->stored.data, got) != frame->checksum)
        return damaged(frame, "their checksum is wrong", err);
    return 0;
}

/* A gzip member; its CRC-32 and length are checked by zlib. False if it is none. */
static bool inflate_member(struct frames *f, uint8_t *out, size_t raw_bytes)
{
    z_stream *z = &f->gzip;

    if (!f->has_gzip && inflateInit2(z, GZIP_WINDOW_BITS) != Z_OK)
        return false;
    f->has_gzip = true;
    if (inflateReset(z) != Z_OK)
        return false;
    z->next_in = f->stored.data;
    z->avail_in = (uInt)f->stored.size;
    z->next_out = out;
    z->avail_out = (uInt)raw_bytes;
    return inflate(z, Z_FINISH) == Z_STREAM_END && z->avail_in == 0 && z->total_out == raw_bytes;
}

static bool decompress_zstd(struct frames *f, uint8_t *out, size_t raw_bytes)
{
    if (!f->zstd)
        f->zstd = ZSTD_createDCtx();
    return f->zstd && ZSTD_decompressDCtx(f->zstd, out, raw_bytes, f->stored.data,
                                          f->stored.size) == raw_bytes;
}

/* Decompresses the stored bytes at hand. */
static bool decompress(struct frames *f, uint8_t *out, size_t raw_bytes)
{
    switch (f->tail->container) {
    case CONTAINER_GZIP:
        return inflate_member(f, out, raw_bytes);
    case CONTAINER_ZSTD:
        return decompress_zstd(f, out, raw_bytes);
    case CONTAINER_PLAIN:
        break;
    }
    if (f->stored.size != raw_bytes)
        return false;
    memcpy(out, f->stored.data, raw_bytes);
    return true;
}

/* The frame that holds the offset, or NULL. */
static const struct frame *find_frame(const struct tail *t, uint64_t offset)
{
    size_t low = 0, high = t->frame_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct frame *f = &t->frames[middle];

        if (offset >= f->raw_offset && offset - f->raw_offset < f->raw_bytes)
            return f;
        if (offset < f->raw_offset)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* Loads the frame into the place that was not used for the longest time. */
static struct kept_frame *load(struct frames *f, const struct frame *frame, struct error *err)
{
    struct kept_frame *k = &f->kept[0];

    for (size_t i = 1; i < KEPT_FRAMES; i++)
        if (f->kept[i].used < k->used)
            k = &f->kept[i];
    if (frame->raw_bytes > FRAME_HARD_BYTES || frame->stored_bytes > 2 * FRAME_HARD_BYTES) {
        damaged(frame, "the frame is too large", err);
        return NULL;
    }
    k->frame = NULL;
    if (!k->bytes)
        k->bytes = malloc(f->largest);
    if (!k->bytes) {
        error_memory(err);
        return NULL;
    }
    if (read_stored(f, frame, err))
        return NULL;
    if (!decompress(f, k->bytes, (size_t)frame->raw_bytes)) {
        damaged(frame, "they cannot be decompressed", err);
        return NULL;
    }
    k->frame = frame;
    return k;
}

static const struct frame *need_frame(const struct tail *t, uint64_t offset, struct error *err)
{
    const struct frame *frame = find_frame(t, offset);

    if (!frame)
        (void)error_set(err, ERROR_FORMAT, "read archive",
                        "no frame holds byte %" PRIu64 " of its content", offset);
    return frame;
}

/* The kept frame that holds the offset; loaded if need be. */
static struct kept_frame *need(struct frames *f, uint64_t offset, struct error *err)
{
    const struct frame *frame = need_frame(f->tail, offset, err);

    if (!frame)
        return NULL;
    for (size_t i = 0; i < KEPT_FRAMES; i++)
        if (f->kept[i].frame == frame)
            return &f->kept[i];
    return load(f, frame, err);
}

static int read_locked(struct frames *f, uint64_t offset, uint8_t *to, size_t count,
                       struct error *err)
{
    while (count != 0) {
        struct kept_frame *k = need(f, offset, err);

        if (!k)
            return -1;
        k->used = ++f->calls;
        uint64_t within = offset - k->frame->raw_offset, there = k->frame->raw_bytes - within;
        size_t part = there < count ? (size_t)there : count;

        memcpy(to, k->bytes + within, part);
        offset += part;
        to += part;
        count -= part;
    }
    return 0;
}

int frames_read(struct frames *f, uint64_t offset, void *bytes, size_t count, struct error *err)
{
    os_mutex_lock(f->lock);
    int result = read_locked(f, offset, bytes, count, err);
    os_mutex_unlock(f->lock);
    return result;
}

/* Reads bytes of a stream that is stored as it is. */
static int read_plain(struct frames *f, uint64_t offset, uint8_t *to, size_t count,
                      struct error *err)
{
    while (count != 0) {
        const struct frame *frame = need_frame(f->tail, offset, err);

        if (!frame)
            return -1;
        uint64_t within = offset - frame->raw_offset, there = frame->raw_bytes - within;
        struct os_range range = {frame->stored_offset + within,
                                 there < count ? (size_t)there : count};
        size_t got;

        if (os_read_at(f->handle, range, to, &got, err))
            return -1;
        if (got != range.bytes)
            return damaged(frame, "it is cut short", err);
        offset += got;
        to += got;
        count -= got;
    }
    return 0;
}

int frames_read_unproved(struct frames *f, uint64_t offset, void *bytes, size_t count,
                         struct error *err)
{
    if (f->tail->container == CONTAINER_PLAIN)
        return read_plain(f, offset, bytes, count, err);
    return frames_read(f, offset, bytes, count, err);
}
