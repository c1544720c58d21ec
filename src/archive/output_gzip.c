/*
 * output_gzip.c: frames as gzip members (RFC 1952) without time and name, so that the same input
 * gives the same bytes; the tail as empty members with an extra field each.
 */
#ifndef ZLIB_CONST
#define ZLIB_CONST /* next_in is not written through */
#endif
#include <zlib.h>

#include "archive/container.h"
#include "archive/output_codec.h"

enum {
    GZIP_DEFAULT_LEVEL = 6,
    GZIP_WINDOW_BITS = 15 + 16, /* the largest window, gzip wrapping */
    GZIP_MEMORY_LEVEL = 8,
};

static int gzip_failed(struct error *err, const z_stream *stream, int code)
{
    if (code == Z_MEM_ERROR)
        return error_memory(err);
    return error_set(err, ERROR_USAGE, "compress", "gzip: %s",
                     stream->msg ? stream->msg : zError(code));
}

/* Compresses all at once into memory that suffices. */
static int compress_whole(z_stream *stream, struct bytes raw, struct buffer *memory,
                          struct error *err)
{
    gz_header header = {.os = GZIP_UNKNOWN_SYSTEM};
    uLong bound;
    int code = deflateSetHeader(stream, &header);

    if (code != Z_OK)
        return gzip_failed(err, stream, code);
    bound = deflateBound(stream, (uLong)raw.size);
    if (buffer_reserve(memory, bound, err))
        return -1;
    stream->next_in = raw.data;
    stream->avail_in = (uInt)raw.size;
    stream->next_out = memory->data;
    stream->avail_out = (uInt)bound;
    code = deflate(stream, Z_FINISH);
    memory->size = bound - stream->avail_out;
    return code == Z_STREAM_END ? 0 : gzip_failed(err, stream, code);
}

static int gzip_make_frame(struct bytes raw, int level, struct buffer *memory, struct bytes *frame,
                           struct error *err)
{
    z_stream stream = {0};
    int code = deflateInit2(&stream, level ? level : GZIP_DEFAULT_LEVEL, Z_DEFLATED,
                            GZIP_WINDOW_BITS, GZIP_MEMORY_LEVEL, Z_DEFAULT_STRATEGY);

    buffer_clear(memory);
    if (code != Z_OK)
        return gzip_failed(err, &stream, code);
    int result = compress_whole(&stream, raw, memory, err);
    deflateEnd(&stream);
    *frame = buffer_bytes(memory);
    return result;
}

/* Writes an empty member that carries a piece of the tail. */
static int gzip_write_piece(struct bytes piece, struct output_sink *sink, struct error *err)
{
    uint8_t before[GZIP_TAIL_BEFORE_BYTES];
    const uint8_t behind[GZIP_TAIL_BEHIND_BYTES] = GZIP_TAIL_BEHIND;

    container_gzip_head(before, piece.size);
    if (output_sink_write(sink, before, sizeof before, err) ||
        output_sink_write(sink, piece.data, piece.size, err))
        return -1;
    return output_sink_write(sink, behind, sizeof behind, err);
}

static int gzip_check_level(int level, struct error *err)
{
    if (level >= 0 && level <= 9)
        return 0;
    return error_set(err, ERROR_USAGE, "compress", "gzip has levels 1 to 9, not %d", level);
}

const struct output_codec output_gzip = {
    .container = CONTAINER_GZIP,
    .check_level = gzip_check_level,
    .make_frame = gzip_make_frame,
    .piece_bytes = GZIP_TAIL_PIECE_BYTES,
    .write_piece = gzip_write_piece,
};
