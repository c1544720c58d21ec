/*
 * output_plain.c: the container that is none: frames are ranges of the plain tar stream, and the
 * tail stands behind it.
 */
#include "archive/output_codec.h"

/* How much of the tail is written at once: nothing in the archive tells. */
enum { PIECE_BYTES = 1 << 20 };

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

static int plain_write_piece(struct bytes piece, struct output_sink *sink, struct error *err)
{
    return output_sink_write(sink, piece.data, piece.size, err);
}

const struct output_codec output_plain = {
    .container = CONTAINER_PLAIN,
    .check_level = plain_check_level,
    .make_frame = plain_make_frame,
    .piece_bytes = PIECE_BYTES,
    .write_piece = plain_write_piece,
};
