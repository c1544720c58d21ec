/*
 * output_plain.c: the container that is none: frames are ranges of the plain tar stream, and the
 * tail stands behind it.
 */
#include <stdlib.h>

#include "archive/output_codec.h"

static int plain_begin(struct output_codec *c, uint64_t raw_bytes, struct error *err)
{
    (void)c;
    (void)raw_bytes;
    (void)err;
    return 0;
}

static int plain_add(struct output_codec *c, struct bytes bytes, enum frame_part part,
                     struct output_sink *sink, struct error *err)
{
    (void)c;
    (void)part;
    return output_sink_write(sink, bytes.data, bytes.size, err);
}

static int plain_finish(struct output_codec *c, const struct tail *t, struct bytes encoded,
                        struct output_sink *sink, struct error *err)
{
    (void)c;
    (void)t;
    return output_sink_write(sink, encoded.data, encoded.size, err);
}

static void plain_release(struct output_codec *c)
{
    free(c);
}

static const struct output_codec_ops plain_ops = {
    .container = CONTAINER_PLAIN,
    .begin = plain_begin,
    .add = plain_add,
    .finish = plain_finish,
    .release = plain_release,
};

int output_plain_new(struct output_codec **out, struct error *err)
{
    struct output_codec *c = calloc(1, sizeof *c);

    if (!c)
        return error_memory(err);
    c->ops = &plain_ops;
    *out = c;
    return 0;
}
