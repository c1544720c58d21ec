/*
 * output_codec.h: what output.c asks of a container: frames, and a place for the tail. One
 * implementation a container: output_plain.c, output_gzip.c, output_zstd.c.
 */
#ifndef HOLDFAST_ARCHIVE_OUTPUT_CODEC_H
#define HOLDFAST_ARCHIVE_OUTPUT_CODEC_H

#include "archive/output.h"

#include <stdatomic.h>
#include <xxhash.h>

/* Where a codec's bytes go: the handle, counted and checksummed. */
struct output_sink {
    os_handle handle;
    _Atomic uint64_t stored_bytes; /* asked for by the other thread, too */
    XXH3_state_t *checksum;        /* of the frame that is being written */
};
MUST_CHECK int output_sink_write(struct output_sink *sink, const void *bytes, size_t count,
                                 struct error *err);

/* What is done with the bytes of the frame that are given. */
enum frame_part { FRAME_GOES_ON, FRAME_ENDS };

struct output_codec;
struct output_codec_ops {
    enum container container;
    /* Begins a frame of `raw_bytes` (UINT64_MAX: not known yet). */
    int (*begin)(struct output_codec *c, uint64_t raw_bytes, struct error *err);
    /* Adds bytes to the frame. */
    int (*add)(struct output_codec *c, struct bytes bytes, enum frame_part part,
               struct output_sink *sink, struct error *err);
    /* Writes the tail behind the last frame; `t` is what `encoded` was made of. */
    int (*finish)(struct output_codec *c, const struct tail *t, struct bytes encoded,
                  struct output_sink *sink, struct error *err);
    void (*release)(struct output_codec *c);
};
struct output_codec {
    const struct output_codec_ops *ops;
};

/* `level` 0 is the default. */
MUST_CHECK int output_plain_new(struct output_codec **out, struct error *err);
MUST_CHECK int output_gzip_new(int level, struct output_codec **out, struct error *err);
MUST_CHECK int output_zstd_new(int level, struct output_codec **out, struct error *err);

#endif
