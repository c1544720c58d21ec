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

int tar_stream_read(struct tar_stream *s, void *bytes, size_t capacity, size_t *got,
                    struct error *err)
{
    size_t ahead = s->ahead_bytes - s->ahead_at;
    size_t more = 0;
    if (ahead > capacity)
        ahead = capacity;
    if (ahead)
        memcpy(bytes, s->ahead + s->ahead_at, ahead);
    if (ahead < capacity &&
        s->in->read(s->in, (uint8_t *)bytes + ahead, capacity - ahead, &more, err))
        return -1;
    s->ahead_at += ahead;
    *got = ahead + more;
    s->position += *got;
    return 0;
}

int tar_stream_peek(struct tar_stream *s, struct tar_block *block, struct error *err)
{
    size_t got = 0;
    size_t left = s->ahead_bytes - s->ahead_at;
    memmove(s->ahead, s->ahead + s->ahead_at, left);
    s->ahead_at = 0;
    s->ahead_bytes = left;
    if (left < sizeof s->ahead &&
        s->in->read(s->in, s->ahead + left, sizeof s->ahead - left, &got, err))
        return -1;
    s->ahead_bytes += got;
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
    while (count) {
        size_t part = count < sizeof s->scratch ? (size_t)count : sizeof s->scratch;
        if (tar_stream_exact(s, s->scratch, part, err))
            return -1;
        count -= part;
    }
    return 0;
}

int tar_stream_body(struct tar_stream *s, uint64_t count, struct buffer *out, struct error *err)
{
    uint64_t left = count;
    while (left) {
        size_t part = left < TAR_SCRATCH_BYTES ? (size_t)left : TAR_SCRATCH_BYTES;
        if (buffer_reserve(out, part, err))
            return -1;
        if (tar_stream_exact(s, out->data + out->size, part, err))
            return -1;
        out->size += part;
        left -= part;
    }
    return tar_stream_skip(s, tar_padding(count), err);
}
