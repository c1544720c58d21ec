/*
 * output_codec.h: what output.c asks of a container: frames, and a place for the tail. One
 * implementation a container: output_plain.c, output_gzip.c, output_zstd.c.
 */
#ifndef HOLDFAST_ARCHIVE_OUTPUT_CODEC_H
#define HOLDFAST_ARCHIVE_OUTPUT_CODEC_H

#include <stdatomic.h>

#include "archive/output.h"

/* Where the bytes go: the handle, counted. */
struct output_sink {
    os_handle handle;
    _Atomic uint64_t stored_bytes; /* asked for by other threads, too */
};
MUST_CHECK int output_sink_write(struct output_sink *sink, const void *bytes, size_t count,
                                 struct error *err);

/* A codec has no state, so that a frame's bytes depend on nothing but its content, and frames are
 * made by several threads at once. `level` is 0 for the default. */
struct output_codec {
    enum container container;
    /* ERROR_USAGE for a level that there is not. */
    int (*check_level)(int level, struct error *err);
    /* Makes a whole frame of `raw`. `memory` is replaced and may hold the frame; it is kept for the
     * next one. */
    int (*make_frame)(struct bytes raw, int level, struct buffer *memory, struct bytes *frame,
                      struct error *err);
    /* Writes a piece of the tail, of piece_bytes at most (container_piece_bytes), in its wrapping.
     */
    size_t piece_bytes;
    int (*write_piece)(struct bytes piece, struct output_sink *sink, struct error *err);
    /* Writes what stands behind the tail, which has that many bytes without wrapping. NULL:
     * nothing. */
    int (*finish)(const struct tail *t, size_t tail_bytes, struct output_sink *sink,
                  struct error *err);
};
extern const struct output_codec output_plain, output_gzip, output_zstd;

#endif
