/*
 * tar_stream.c: see tar_stream.h.
 */
#include "archive/tar_stream.h"

#include <inttypes.h>
#include <string.h>

uint64_t tar_padding(uint64_t bytes)
{
    return -bytes % TAR_BLOCK_BYTES;
}

int tar_stream_cut(const struct tar_stream *s, struct error *err)
{
    return error_set(err, ERROR_FORMAT, "read archive",
                     "the archive is cut short after byte %" PRIu64, s->position);
}

int tar_stream_take(struct tar_stream *s, size_t most, struct bytes *out, struct error *err)
{
    size_t ahead = s->ahead_bytes - s->ahead_at;
    if (ahead) {
        *out = bytes_make(s->ahead + s->ahead_at, ahead < most ? ahead : most);
        s->ahead_at += out->size;
    } else if (s->in->take(s->in, most, out, err)) {
        return -1;
    }
    s->position += out->size;
    return 0;
}

int tar_stream_read(struct tar_stream *s, void *bytes, size_t capacity, size_t *got,
                    struct error *err)
{
    struct bytes part;
    *got = 0;
    while (*got < capacity) {
        if (tar_stream_take(s, capacity - *got, &part, err))
            return -1;
        if (!part.size)
            break;
        memcpy((uint8_t *)bytes + *got, part.data, part.size);
        *got += part.size;
    }
    return 0;
}

int tar_stream_peek(struct tar_stream *s, struct tar_block *block, struct error *err)
{
    size_t left = s->ahead_bytes - s->ahead_at;
    struct bytes part;
    memmove(s->ahead, s->ahead + s->ahead_at, left);
    s->ahead_at = 0;
    s->ahead_bytes = left;
    while (s->ahead_bytes < sizeof s->ahead) {
        if (s->in->take(s->in, sizeof s->ahead - s->ahead_bytes, &part, err))
            return -1;
        if (!part.size)
            break;
        memcpy(s->ahead + s->ahead_bytes, part.data, part.size);
        s->ahead_bytes += part.size;
    }
    memcpy(block, s->ahead, sizeof *block);
    return s->ahead_bytes == sizeof s->ahead;
}

int tar_stream_exact(struct tar_stream *s, void *bytes, size_t count, struct error *err)
{
    size_t got = 0;
    if (tar_stream_read(s, bytes, count, &got, err))
        return -1;
    return got == count ? 0 : tar_stream_cut(s, err);
}

int tar_stream_skip(struct tar_stream *s, uint64_t count, struct error *err)
{
    struct bytes part;
    while (count) {
        if (tar_stream_take(s, count < SIZE_MAX ? (size_t)count : SIZE_MAX, &part, err))
            return -1;
        if (!part.size)
            return tar_stream_cut(s, err);
        count -= part.size;
    }
    return 0;
}

int tar_stream_body(struct tar_stream *s, uint64_t count, struct buffer *out, struct error *err)
{
    enum { STEP_BYTES = 16384 };
    uint64_t left = count;
    while (left) {
        size_t part = left < STEP_BYTES ? (size_t)left : STEP_BYTES;
        if (buffer_reserve(out, part, err))
            return -1;
        if (tar_stream_exact(s, out->data + out->size, part, err))
            return -1;
        out->size += part;
        left -= part;
    }
    return tar_stream_skip(s, tar_padding(count), err);
}
