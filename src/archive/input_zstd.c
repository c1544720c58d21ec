/*
 * input_zstd.c: zstd frames one after the other (RFC 8878). The library checks each frame's
 * checksum; here the ends are checked: a frame that is cut short, and bytes behind the last one.
 * Skippable frames that are ours carry the tail; others are passed over.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <xxhash.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "archive/container.h"
#include "archive/input_decoder.h"

/* Larger windows need `zstd --long` to be read elsewhere, too: memory for 128 MiB is the most that
 * is given to an archive. */
enum { MAX_WINDOW_LOG = 27 };

/* The longest header of a frame (RFC 8878, 3.1.1.1), and how much of one is read at a time. */
enum { HEADER_BYTES = 18, STEP_BYTES = 1 << 20 };

enum zstd_place { BETWEEN_FRAMES, IN_FRAME, IN_SKIPPABLE };

struct zstd_decoder {
    struct input_decoder base;
    struct input_raw *raw;
    struct input_passing *passing;
    ZSTD_DCtx *context;
    enum zstd_place place;
    uint32_t skippable_left; /* bytes */
    uint32_t skippable_magic;
    uint64_t frame_offset;  /* in the file */
    XXH3_state_t *checksum; /* of the frame's stored bytes */
};

static bool is_skippable(uint32_t magic)
{
    return (magic & ZSTD_SKIPPABLE_MASK) == ZSTD_SKIPPABLE_MAGIC;
}

bool input_zstd_begins(struct bytes head)
{
    if (head.size < 4)
        return false;
    uint32_t magic = container_u32(head.data);
    return magic == ZSTD_FRAME_MAGIC || is_skippable(magic);
}

static int zstd_damaged(struct zstd_decoder *z, const char *what, struct error *err)
{
    return error_set(err, ERROR_FORMAT, "decompress", "zstd: %s at byte %" PRIu64, what,
                     (uint64_t)z->raw->position);
}

static int cut_short(struct zstd_decoder *z, struct error *err)
{
    return zstd_damaged(z, "the archive is cut short", err);
}

/* Keeps bytes of a seek table; what is too long for one will differ from what it is compared with.
 */
static int keep_table(struct zstd_decoder *z, struct bytes bytes, struct error *err)
{
    struct buffer *table = &z->passing->table;

    if (bytes.size > INPUT_MAX_TABLE_BYTES - table->size)
        return 0;
    return buffer_append(table, bytes.data, bytes.size, err);
}

/* With all of a frame and room for its content the library decompresses in one go, without a copy
 * in a window of its own. */
static int gather_frame(struct zstd_decoder *z, uint64_t content_bytes, struct error *err)
{
    size_t most = ZSTD_compressBound((size_t)content_bytes), want = HEADER_BYTES;
    struct bytes frame;

    do {
        if (input_raw_peek(z->raw, want, &frame, err))
            return -1;
        if (!ZSTD_isError(ZSTD_findFrameCompressedSize(frame.data, frame.size)))
            break;
        want = frame.size + STEP_BYTES;
    } while (frame.size < most && !z->raw->at_end);
    return 0;
}

/* A frame that does not fit into what is left of the room, but would into all of it, waits. */
static bool has_to_wait(const ZSTD_outBuffer *out, uint64_t content_bytes)
{
    return content_bytes <= out->size && content_bytes > out->size - out->pos;
}

/* Between frames: 1 and one begins, 0 at the end or if it has to wait, -1. */
static int next_frame(struct zstd_decoder *z, const ZSTD_outBuffer *out, struct error *err)
{
    struct bytes head;

    if (input_raw_peek(z->raw, HEADER_BYTES, &head, err))
        return -1;
    if (head.size == 0)
        return 0;
    if (!input_zstd_begins(head))
        return zstd_damaged(z, "bytes that are no frame", err);
    uint32_t magic = container_u32(head.data);
    if (!is_skippable(magic)) {
        uint64_t content_bytes = ZSTD_getFrameContentSize(head.data, head.size);
        if (has_to_wait(out, content_bytes))
            return 0;
        if (content_bytes <= out->size && gather_frame(z, content_bytes, err))
            return -1;
        ZSTD_DCtx_reset(z->context, ZSTD_reset_session_only);
        z->place = IN_FRAME;
        z->frame_offset = z->raw->position;
        XXH3_64bits_reset(z->checksum);
        return 1;
    }
    if (head.size < ZSTD_SKIPPABLE_HEADER_BYTES)
        return cut_short(z, err);
    z->skippable_left = container_u32(head.data + 4);
    z->skippable_magic = magic;
    z->place = IN_SKIPPABLE;
    if (magic == ZSTD_SEEK_TABLE_MAGIC &&
        keep_table(z, bytes_make(head.data, ZSTD_SKIPPABLE_HEADER_BYTES), err))
        return -1;
    return input_raw_take(z->raw, ZSTD_SKIPPABLE_HEADER_BYTES, err) ? -1 : 1;
}

static int continue_skippable(struct zstd_decoder *z, struct error *err)
{
    struct bytes in;

    if (z->skippable_left == 0) {
        z->place = BETWEEN_FRAMES;
        return 0;
    }
    if (input_raw_peek(z->raw, 1, &in, err))
        return -1;
    if (in.size == 0)
        return cut_short(z, err);
    if (in.size > z->skippable_left)
        in.size = z->skippable_left;
    if (z->skippable_magic == ZSTD_TAIL_MAGIC && input_passing_add(z->passing, in, err))
        return -1;
    if (z->skippable_magic == ZSTD_SEEK_TABLE_MAGIC && keep_table(z, in, err))
        return -1;
    z->skippable_left -= (uint32_t)in.size;
    return input_raw_take(z->raw, in.size, err);
}

static int zstd_failed(struct zstd_decoder *z, size_t code, struct error *err)
{
    switch (ZSTD_getErrorCode(code)) {
    case ZSTD_error_memory_allocation:
        return error_memory(err);
    case ZSTD_error_frameParameter_windowTooLarge:
        return error_set(err, ERROR_LIMIT, "decompress",
                         "zstd: the archive needs a window of more than %d MiB",
                         1 << (MAX_WINDOW_LOG - 20));
    default:
        return zstd_damaged(z, ZSTD_getErrorName(code), err);
    }
}

static int continue_frame(struct zstd_decoder *z, ZSTD_outBuffer *out, struct error *err)
{
    struct bytes ahead;

    if (input_raw_peek(z->raw, 1, &ahead, err))
        return -1;
    /* Without more input the library may still hold output that had no room before. */
    size_t had = out->pos;
    ZSTD_inBuffer in = {ahead.data, ahead.size, 0};
    size_t code = ZSTD_decompressStream(z->context, out, &in);
    if (ZSTD_isError(code))
        return zstd_failed(z, code, err);
    if (ahead.size == 0 && out->pos == had && code != 0)
        return cut_short(z, err);
    XXH3_64bits_update(z->checksum, ahead.data, in.pos);
    if (input_raw_take(z->raw, in.pos, err))
        return -1;
    if (code == 0) {
        z->place = BETWEEN_FRAMES;
        input_passing_frame(z->passing, z->frame_offset, z->raw->position - z->frame_offset,
                            XXH3_64bits_digest(z->checksum));
    }
    return 0;
}

static int zstd_read(struct input_decoder *d, void *bytes, size_t capacity, size_t *got,
                     struct error *err)
{
    struct zstd_decoder *z = (struct zstd_decoder *)d;
    ZSTD_outBuffer out = {bytes, capacity, 0};
    uint64_t frames = z->passing->frame_count;
    int result = 1;

    while (result > 0 && out.pos < out.size &&
           !(z->passing->by_frame && z->passing->frame_count != frames)) {
        if (z->place == BETWEEN_FRAMES)
            result = next_frame(z, &out, err);
        else if (z->place == IN_SKIPPABLE)
            result = continue_skippable(z, err) ? -1 : 1;
        else
            result = continue_frame(z, &out, err) ? -1 : 1;
    }
    *got = out.pos;
    return result < 0 ? -1 : 0;
}

static const char *zstd_name(const struct input_decoder *d)
{
    (void)d;
    return "zstd";
}

static void zstd_release(struct input_decoder *d)
{
    struct zstd_decoder *z = (struct zstd_decoder *)d;

    ZSTD_freeDCtx(z->context);
    XXH3_freeState(z->checksum);
    free(z);
}

static const struct input_decoder_ops zstd_ops = {zstd_read, zstd_name, zstd_release};

int input_zstd_new(struct input_raw *raw, struct input_passing *passing, struct input_decoder **out,
                   struct error *err)
{
    struct zstd_decoder *z = calloc(1, sizeof *z);

    if (!z)
        return error_memory(err);
    z->base.ops = &zstd_ops;
    z->raw = raw;
    z->passing = passing;
    z->context = ZSTD_createDCtx();
    z->checksum = XXH3_createState();
    if (!z->context || !z->checksum ||
        ZSTD_isError(ZSTD_DCtx_setParameter(z->context, ZSTD_d_windowLogMax, MAX_WINDOW_LOG))) {
        zstd_release(&z->base);
        return error_memory(err);
    }
    *out = &z->base;
    return 0;
}
