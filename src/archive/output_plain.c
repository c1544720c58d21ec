/*
 * output_plain.c: the container that is none: frames are ranges of the plain tar stream, and the
 * tail stands behind it.
 */
#include "archive/output_codec.h"

static int plain_check_level(int level, struct error *err)
{
    (void)level;
    (void)err;
    return 0;
}

static int plain_make_frame(struct bytes raw, int level, struct buffer *memory, struct bytes *frame,
                            struct error *err)
{
    (void)level;
    (void)memory;
    (void)err;
    *frame = raw;
    return 0;
}

static int plain_finish(const struct tail *t, struct bytes encoded, struct output_sink *sink,
                        struct error *err)
{
    (void)t;
    return output_sink_write(sink, encoded.data, encoded.size, err);
}

const struct output_codec output_plain = {
    .container = CONTAINER_PLAIN,
    .check_level = plain_check_level,
    .make_frame = plain_make_frame,
    .finish = plain_finish,
};
