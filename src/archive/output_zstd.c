/*
 * output_zstd.c: frames as zstd frames with checksum (RFC 8878); the tail as skippable frames, and
 * behind it the table of zstd's seekable format, which lists those, too.
 */
#include <zstd.h>

#include "archive/container.h"
#include "archive/output_codec.h"

enum {
    DEFAULT_LEVEL = 1,
    WINDOW_LOG = 22,      /* equal contents are found across a frame, at no cost in time */
    WINDOW_LEVEL = 15,    /* the highest level whose own window may be smaller */
    FASTEST_HASH_LOG = 15 /* level 1 has half of it for speed in the smallest caches */
};

static size_t set_parameters(ZSTD_CCtx *context, int level)
{
    size_t code = ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);

    if (!ZSTD_isError(code))
        code = ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    if (!ZSTD_isError(code) && level <= WINDOW_LEVEL)
        code = ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, WINDOW_LOG);
    if (!ZSTD_isError(code) && level == 1)
        code = ZSTD_CCtx_setParameter(context, ZSTD_c_hashLog, FASTEST_HASH_LOG);
    return code;
}

/* An attempt at a frame, by a context that knows of no frame before. */
static int compress(ZSTD_CCtx *context, struct bytes raw, int level, struct buffer *memory,
                    struct error *err)
{
    size_t code = set_parameters(context, level != 0 ? level : DEFAULT_LEVEL);

    if (!ZSTD_isError(code))
        code = ZSTD_compress2(context, memory->data, memory->capacity, raw.data, raw.size);
    if (ZSTD_isError(code))
        return error_set(err, ERROR_MEMORY, "compress", "zstd: %s", ZSTD_getErrorName(code));
    memory->size = code;
    return 0;
}

static int zstd_make_frame(struct bytes raw, int level, struct buffer *memory, struct bytes *frame,
                           struct error *err)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();
    int result = -1;

    buffer_clear(memory);
    if (!context)
        return error_memory(err);
    if (buffer_reserve(memory, ZSTD_compressBound(raw.size), err) == 0)
        result = compress(context, raw, level, memory, err);
    *frame = buffer_bytes(memory);
    ZSTD_freeCCtx(context);
    return result;
}

static int write_skippable_header(struct output_sink *sink, uint32_t magic, size_t size,
                                  struct error *err)
{
    uint8_t header[ZSTD_SKIPPABLE_HEADER_BYTES];

    container_put_u32(header, magic);
    container_put_u32(header + 4, (uint32_t)size);
    return output_sink_write(sink, header, sizeof header, err);
}

static int zstd_write_piece(struct bytes piece, struct output_sink *sink, struct error *err)
{
    return write_skippable_header(sink, ZSTD_TAIL_MAGIC, piece.size, err) ||
                   output_sink_write(sink, piece.data, piece.size, err)
               ? -1
               : 0;
}

static int zstd_finish(const struct tail *t, size_t tail_bytes, struct output_sink *sink,
                       struct error *err)
{
    struct buffer table = {0};
    int result = container_seek_table(&table, t, tail_bytes, err);

    if (result == 0)
        result = output_sink_write(sink, table.data, table.size, err);
    buffer_release(&table);
    return result;
}

static int zstd_check_level(int level, struct error *err)
{
    ZSTD_bounds bounds = ZSTD_cParam_getBounds(ZSTD_c_compressionLevel);

    if (level >= bounds.lowerBound && level <= bounds.upperBound)
        return 0;
    return error_set(err, ERROR_USAGE, "compress", "zstd has levels up to %d, not %d",
                     bounds.upperBound, level);
}

const struct output_codec output_zstd = {
    .container = CONTAINER_ZSTD,
    .check_level = zstd_check_level,
    .make_frame = zstd_make_frame,
    .piece_bytes = ZSTD_TAIL_PIECE_BYTES,
    .write_piece = zstd_write_piece,
    .finish = zstd_finish,
};
