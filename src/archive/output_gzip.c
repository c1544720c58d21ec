/*
 * output_gzip.c: frames as gzip members (RFC 1952) without time and name, so that the same input
 * gives the same bytes; the tail as empty members with an extra field each.
 */
#include <stdlib.h>
#include <string.h>
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
    GZIP_FLAG_EXTRA = 4,
    ROOM_BYTES = 128 << 10,
};

struct gzip_codec {
    struct output_codec base;
    z_stream stream;
    gz_header header;
    uint8_t room[ROOM_BYTES];
};

static int gzip_failed(struct error *err, const struct gzip_codec *g, int code)
{
    if (code == Z_MEM_ERROR)
        return error_memory(err);
    return error_set(err, ERROR_USAGE, "compress", "gzip: %s",
                     g->stream.msg ? g->stream.msg : zError(code));
}

static int gzip_begin(struct output_codec *c, uint64_t raw_bytes, struct error *err)
{
    struct gzip_codec *g = (struct gzip_codec *)c;
    (void)raw_bytes;

    int code = deflateReset(&g->stream);
    if (code == Z_OK)
        code = deflateSetHeader(&g->stream, &g->header);
    return code == Z_OK ? 0 : gzip_failed(err, g, code);
}

static int gzip_add(struct output_codec *c, struct bytes bytes, enum frame_part part,
                    struct output_sink *sink, struct error *err)
{
    struct gzip_codec *g = (struct gzip_codec *)c;
    int code;

    g->stream.next_in = bytes.data;
    g->stream.avail_in = (uInt)bytes.size;
    do {
        g->stream.next_out = g->room;
        g->stream.avail_out = ROOM_BYTES;
        code = deflate(&g->stream, part == FRAME_ENDS ? Z_FINISH : Z_NO_FLUSH);
        /* Z_BUF_ERROR says that there was nothing to do, which is no failure here. */
        if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
            return gzip_failed(err, g, code);
        if (output_sink_write(sink, g->room, ROOM_BYTES - g->stream.avail_out, err))
            return -1;
    } while (g->stream.avail_out == 0);
    return 0;
}

/* Writes an empty member that carries a piece of the tail. */
static int write_piece(struct output_sink *sink, struct bytes piece, struct error *err)
{
    size_t subfield = piece.size + 4;
    const uint8_t before[GZIP_TAIL_BEFORE_BYTES] = {0x1f,
                                                    0x8b,
                                                    Z_DEFLATED,
                                                    GZIP_FLAG_EXTRA,
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
                                                    (uint8_t)piece.size,
                                                    (uint8_t)(piece.size >> 8)};
    const uint8_t behind[GZIP_TAIL_BEHIND_BYTES] = {3};

    if (output_sink_write(sink, before, sizeof before, err) ||
        output_sink_write(sink, piece.data, piece.size, err))
        return -1;
    return output_sink_write(sink, behind, sizeof behind, err);
}

static int gzip_finish(struct output_codec *c, const struct tail *t, struct bytes encoded,
                       struct output_sink *sink, struct error *err)
{
    (void)c;
    (void)t;
    while (encoded.size != 0) {
        struct bytes piece =
            bytes_make(encoded.data, container_piece_bytes(encoded.size, GZIP_TAIL_PIECE_BYTES));
        if (write_piece(sink, piece, err))
            return -1;
        encoded = bytes_make(encoded.data + piece.size, encoded.size - piece.size);
    }
    return 0;
}

static void gzip_release(struct output_codec *c)
{
    struct gzip_codec *g = (struct gzip_codec *)c;

    deflateEnd(&g->stream);
    free(g);
}

static const struct output_codec_ops gzip_ops = {
    .container = CONTAINER_GZIP,
    .begin = gzip_begin,
    .add = gzip_add,
    .finish = gzip_finish,
    .release = gzip_release,
};

int output_gzip_new(int level, struct output_codec **out, struct error *err)
{
    struct gzip_codec *g = calloc(1, sizeof *g);

    if (!g)
        return error_memory(err);
    g->base.ops = &gzip_ops;
    g->header.os = GZIP_UNKNOWN_SYSTEM;
    int code = deflateInit2(&g->stream, level ? level : GZIP_DEFAULT_LEVEL, Z_DEFLATED,
                            GZIP_WINDOW_BITS, GZIP_MEMORY_LEVEL, Z_DEFAULT_STRATEGY);
    if (code != Z_OK) {
        if (code == Z_STREAM_ERROR)
            error_set(err, ERROR_USAGE, "compress", "gzip has levels 1 to 9, not %d", level);
        else
            gzip_failed(err, g, code);
        free(g);
        return -1;
    }
    *out = &g->base;
    return 0;
}
