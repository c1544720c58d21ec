/*
 * output_zstd.c: frames as zstd frames with checksum (RFC 8878); the tail as skippable frames, and
 * behind it the table of zstd's seekable format, which lists those, too.
 */
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "archive/container.h"
#include "archive/output_codec.h"

struct zstd_codec {
    struct output_codec base;
    ZSTD_CCtx *context;
    size_t room_bytes;
    uint8_t room[];
};

static int zstd_failed(struct error *err, size_t code)
{
    return error_set(err, ERROR_MEMORY, "compress", "zstd: %s", ZSTD_getErrorName(code));
}

static int zstd_begin(struct output_codec *c, uint64_t raw_bytes, struct error *err)
{
    struct zstd_codec *z = (struct zstd_codec *)c;

    size_t code = ZSTD_CCtx_reset(z->context, ZSTD_reset_session_only);
    if (!ZSTD_isError(code) && raw_bytes != UINT64_MAX)
        code = ZSTD_CCtx_setPledgedSrcSize(z->context, raw_bytes);
    return ZSTD_isError(code) ? zstd_failed(err, code) : 0;
}

static int zstd_add(struct output_codec *c, struct bytes bytes, enum frame_part part,
                    struct output_sink *sink, struct error *err)
{
    struct zstd_codec *z = (struct zstd_codec *)c;
    ZSTD_EndDirective directive = part == FRAME_ENDS ? ZSTD_e_end : ZSTD_e_continue;
    ZSTD_inBuffer in = {bytes.data, bytes.size, 0};
    size_t left;

    do {
        ZSTD_outBuffer out = {z->room, z->room_bytes, 0};
        left = ZSTD_compressStream2(z->context, &out, &in, directive);
        if (ZSTD_isError(left))
            return zstd_failed(err, left);
        if (output_sink_write(sink, z->room, out.pos, err))
            return -1;
    } while (part == FRAME_ENDS ? left != 0 : in.pos < in.size);
    return 0;
}

static int write_skippable_header(struct output_sink *sink, uint32_t magic, size_t size,
                                  struct error *err)
{
    uint8_t header[ZSTD_SKIPPABLE_HEADER_BYTES];

    container_put_u32(header, magic);
    container_put_u32(header + 4, (uint32_t)size);
    return output_sink_write(sink, header, sizeof header, err);
}

static int write_pieces(struct output_sink *sink, struct bytes encoded, struct error *err)
{
    while (encoded.size != 0) {
        size_t size = container_piece_bytes(encoded.size, ZSTD_TAIL_PIECE_BYTES);
        if (write_skippable_header(sink, ZSTD_TAIL_MAGIC, size, err) ||
            output_sink_write(sink, encoded.data, size, err))
            return -1;
        encoded = bytes_make(encoded.data + size, encoded.size - size);
    }
    return 0;
}

static int zstd_finish(struct output_codec *c, const struct tail *t, struct bytes encoded,
                       struct output_sink *sink, struct error *err)
{
    struct buffer table = {0};
    int result = -1;

    (void)c;
    if (write_pieces(sink, encoded, err) == 0 &&
        container_seek_table(&table, t, encoded.size, err) == 0)
        result = output_sink_write(sink, table.data, table.size, err);
    buffer_release(&table);
    return result;
}

static void zstd_release(struct output_codec *c)
{
    struct zstd_codec *z = (struct zstd_codec *)c;

    ZSTD_freeCCtx(z->context);
    free(z);
}

static const struct output_codec_ops zstd_ops = {
    .container = CONTAINER_ZSTD,
    .begin = zstd_begin,
    .add = zstd_add,
    .finish = zstd_finish,
    .release = zstd_release,
};

static int check_level(int level, struct error *err)
{
    ZSTD_bounds bounds = ZSTD_cParam_getBounds(ZSTD_c_compressionLevel);

    if (level >= bounds.lowerBound && level <= bounds.upperBound)
        return 0;
    return error_set(err, ERROR_USAGE, "compress", "zstd has levels up to %d, not %d",
                     bounds.upperBound, level);
}

int output_zstd_new(int level, struct output_codec **out, struct error *err)
{
    size_t room_bytes = ZSTD_CStreamOutSize();
    struct zstd_codec *z;

    if (check_level(level, err))
        return -1;
    z = calloc(1, sizeof *z + room_bytes);
    if (!z)
        return error_memory(err);
    z->base.ops = &zstd_ops;
    z->room_bytes = room_bytes;
    z->context = ZSTD_createCCtx();
    /* zstd takes level 0 for its default, which is 3. */
    if (!z->context ||
        ZSTD_isError(ZSTD_CCtx_setParameter(z->context, ZSTD_c_compressionLevel, level)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(z->context, ZSTD_c_checksumFlag, 1))) {
        zstd_release(&z->base);
        return error_memory(err);
    }
    *out = &z->base;
    return 0;
}
