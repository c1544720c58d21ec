/*
 * input_gzip.c: gzip members one after the other (RFC 1952). zlib checks each member's CRC-32 and
 * length; here the ends are checked: a member that is cut short, and bytes behind the last one,
 * where only zeros (the padding of tapes) are allowed.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <xxhash.h>
#ifndef ZLIB_CONST
#define ZLIB_CONST /* next_in is not written through */
#endif
#include <zlib.h>

#include "archive/container.h"
#include "archive/input_decoder.h"

enum { GZIP_WINDOW_BITS = 15 + 16, EXTRA_BYTES = 65535 };

struct gzip_decoder {
    struct input_decoder base;
    struct input_raw *raw;
    struct input_passing *passing;
    z_stream stream;
    gz_header header;
    bool in_member, is_padding;
    uint64_t member_offset; /* in the file */
    XXH3_state_t *checksum; /* of the member's stored bytes */
    uint8_t extra[EXTRA_BYTES];
};

bool input_gzip_begins(struct bytes head)
{
    return head.size >= 3 && head.data[0] == 0x1f && head.data[1] == 0x8b &&
           head.data[2] == Z_DEFLATED;
}

static int gzip_damaged(struct gzip_decoder *g, const char *what, struct error *err)
{
    return error_set(err, ERROR_FORMAT, "decompress", "gzip: %s at byte %" PRIu64, what,
                     (uint64_t)g->raw->position);
}

static int begin_member(struct gzip_decoder *g, struct error *err)
{
    g->header = (gz_header){.extra = g->extra, .extra_max = EXTRA_BYTES};
    if (inflateReset(&g->stream) != Z_OK || inflateGetHeader(&g->stream, &g->header) != Z_OK)
        return error_memory(err);
    g->in_member = true;
    g->member_offset = g->raw->position;
    XXH3_64bits_reset(g->checksum);
    return 0;
}

/* Our subfield in the extra field (RFC 1952, 2.3.1.1): 1 and its content, 0 if there is none. */
static int find_piece(const struct gzip_decoder *g, struct bytes *out)
{
    if (!g->header.extra || g->header.extra_len < 4)
        return 0;
    size_t length = g->extra[2] | (size_t)g->extra[3] << 8;
    if (g->extra[0] != GZIP_TAIL_ID_1 || g->extra[1] != GZIP_TAIL_ID_2 ||
        length + 4 != g->header.extra_len)
        return 0;
    *out = bytes_make(g->extra + 4, length);
    return 1;
}

/* True if the member that ended is, byte for byte, what is written round such a piece: deflate
 * leaves bits without meaning. */
static bool is_piece_as_written(const struct gzip_decoder *g, struct bytes piece)
{
    const uint8_t behind[GZIP_TAIL_BEHIND_BYTES] = GZIP_TAIL_BEHIND;
    uint8_t before[GZIP_TAIL_BEFORE_BYTES];
    uint64_t found = XXH3_64bits_digest(g->checksum);

    container_gzip_head(before, piece.size);
    XXH3_64bits_reset(g->checksum);
    XXH3_64bits_update(g->checksum, before, sizeof before);
    XXH3_64bits_update(g->checksum, piece.data, piece.size);
    XXH3_64bits_update(g->checksum, behind, sizeof behind);
    return XXH3_64bits_digest(g->checksum) == found;
}

static int end_member(struct gzip_decoder *g, struct error *err)
{
    struct bytes piece;

    g->in_member = false;
    if (g->stream.total_out != 0) {
        input_passing_frame(g->passing, g->member_offset, g->raw->position - g->member_offset,
                            XXH3_64bits_digest(g->checksum));
        return 0;
    }
    if (!find_piece(g, &piece))
        return 0;
    if (!is_piece_as_written(g, piece))
        return gzip_damaged(g, "a damaged piece of the tail", err);
    return input_passing_add(g->passing, piece, err);
}

/* Between members: 1 and a new one begins, 0 at the end, -1. */
static int next_member(struct gzip_decoder *g, struct error *err)
{
    struct bytes head;

    for (;;) {
        if (input_raw_peek(g->raw, 3, &head, err))
            return -1;
        if (head.size == 0)
            return 0;
        if (!g->is_padding && input_gzip_begins(head))
            return begin_member(g, err) ? -1 : 1;
        size_t zeros = 0;
        while (zeros < head.size && head.data[zeros] == 0)
            zeros++;
        if (zeros == 0)
            return gzip_damaged(g, "bytes that are no member", err);
        g->is_padding = true;
        if (input_raw_take(g->raw, zeros, err))
            return -1;
    }
}

/* Decompresses what is there of the member into the stream's room. */
static int continue_member(struct gzip_decoder *g, struct error *err)
{
    struct bytes in;

    if (input_raw_peek(g->raw, 1, &in, err))
        return -1;
    if (in.size == 0)
        return gzip_damaged(g, "the archive is cut short", err);
    g->stream.next_in = in.data;
    g->stream.avail_in = (uInt)in.size;
    int code = inflate(&g->stream, Z_NO_FLUSH);
    size_t used = in.size - g->stream.avail_in;
    XXH3_64bits_update(g->checksum, in.data, used);
    if (input_raw_take(g->raw, used, err))
        return -1;
    if (code == Z_STREAM_END)
        return end_member(g, err);
    if (code == Z_MEM_ERROR)
        return error_memory(err);
    if (code != Z_OK && code != Z_BUF_ERROR)
        return gzip_damaged(g, g->stream.msg ? g->stream.msg : "damaged data", err);
    return 0;
}

static int gzip_read(struct input_decoder *d, void *bytes, size_t capacity, size_t *got,
                     struct error *err)
{
    struct gzip_decoder *g = (struct gzip_decoder *)d;
    uint64_t frames = g->passing->frame_count;
    int result = 1;

    g->stream.next_out = bytes;
    g->stream.avail_out = (uInt)capacity;
    while (result > 0 && g->stream.avail_out != 0 &&
           !(g->passing->by_frame && g->passing->frame_count != frames)) {
        if (!g->in_member)
            result = next_member(g, err);
        else if (continue_member(g, err))
            result = -1;
    }
    *got = capacity - g->stream.avail_out;
    return result < 0 ? -1 : 0;
}

static const char *gzip_name(const struct input_decoder *d)
{
    (void)d;
    return "gzip";
}

static void gzip_release(struct input_decoder *d)
{
    struct gzip_decoder *g = (struct gzip_decoder *)d;

    inflateEnd(&g->stream);
    XXH3_freeState(g->checksum);
    free(g);
}

static const struct input_decoder_ops gzip_ops = {gzip_read, gzip_name, gzip_release};

int input_gzip_new(struct input_raw *raw, struct input_passing *passing, struct input_decoder **out,
                   struct error *err)
{
    struct gzip_decoder *g = calloc(1, sizeof *g);

    if (!g)
        return error_memory(err);
    g->base.ops = &gzip_ops;
    g->raw = raw;
    g->passing = passing;
    g->checksum = XXH3_createState();
    if (!g->checksum || inflateInit2(&g->stream, GZIP_WINDOW_BITS) != Z_OK) {
        gzip_release(&g->base);
        return error_memory(err);
    }
    *out = &g->base;
    return 0;
}
