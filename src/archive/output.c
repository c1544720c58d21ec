/*
 * output.c: cuts the tar stream into frames and hands its blocks to the thread that compresses and
 * writes. Promises that blocks and cuts depend on the content alone, however the caller slices its
 * writes; leaves to the codecs how a frame is stored.
 */
#include "archive/output.h"

#include <stdlib.h>
#include <string.h>

#include "archive/output_codec.h"
#include "base/hash.h"
#include "os/channel.h"
#include "os/thread.h"

enum { BLOCK_COUNT = 4, BLOCK_BYTES = 1 << 20 };

/* A block's mark. */
enum { MARK_FRAME_GOES_ON, MARK_FRAME_ENDS };

struct output {
    /* The caller's side. */
    struct channel *channel;
    struct os_thread *thread;
    struct channel_block *block; /* being filled, or NULL */
    uint64_t raw_bytes;          /* of the stream */
    size_t frame_bytes;          /* of the frame so far */
    bool broken;                 /* the failure was told */

    /* The thread's side until it was joined. */
    struct output_codec *codec;
    struct output_sink sink;
    struct frame *frames;
    size_t frame_count, frame_capacity;
    uint64_t framed_bytes; /* end of the last frame in the stream */
    struct hasher *hasher; /* of the stream */
    struct error failure;
};

int output_sink_write(struct output_sink *sink, const void *bytes, size_t count, struct error *err)
{
    if (count == 0)
        return 0;
    if (os_write(sink->handle, bytes, count, err))
        return -1;
    XXH3_64bits_update(sink->checksum, bytes, count);
    sink->stored_bytes += count;
    return 0;
}

/* ---- The compressing thread ---- */

static int add_frame(struct output *o, uint64_t stored_offset, uint64_t raw_bytes,
                     struct error *err)
{
    if (o->frame_count == o->frame_capacity) {
        size_t capacity = o->frame_capacity ? o->frame_capacity * 2 : 64;
        struct frame *frames = realloc(o->frames, capacity * sizeof *frames);
        if (!frames)
            return error_memory(err);
        o->frames = frames;
        o->frame_capacity = capacity;
    }
    o->frames[o->frame_count++] = (struct frame){
        .stored_offset = stored_offset,
        .stored_bytes = o->sink.stored_bytes - stored_offset,
        .raw_offset = o->framed_bytes,
        .raw_bytes = raw_bytes,
        .checksum = XXH3_64bits_digest(o->sink.checksum),
    };
    o->framed_bytes += raw_bytes;
    return 0;
}

/* Compresses one frame, whose first block is given: 1 and the frame is written, 0 if the stream
 * ended inside it, -1. */
static int compress_frame(struct output *o, struct channel_block *block, struct error *err)
{
    uint64_t stored_offset = o->sink.stored_bytes, raw_bytes = 0;
    bool is_whole = block->mark == MARK_FRAME_ENDS;

    XXH3_64bits_reset(o->sink.checksum);
    if (o->codec->ops->begin(o->codec, is_whole ? block->size : UINT64_MAX, err))
        return -1;
    for (;;) {
        bool ends = block->mark == MARK_FRAME_ENDS;
        struct bytes bytes = bytes_make(block->data, block->size);
        if (o->codec->ops->add(o->codec, bytes, ends ? FRAME_ENDS : FRAME_GOES_ON, &o->sink, err))
            return -1;
        hasher_add(o->hasher, block->data, block->size);
        raw_bytes += block->size;
        channel_return(o->channel);
        if (ends)
            return add_frame(o, stored_offset, raw_bytes, err) ? -1 : 1;
        int taken = channel_take(o->channel, &block, err);
        if (taken <= 0)
            return taken;
    }
}

static void compress_frames(void *context)
{
    struct output *o = context;
    struct channel_block *block;
    int result;

    do {
        result = channel_take(o->channel, &block, &o->failure);
        if (result == 1)
            result = compress_frame(o, block, &o->failure);
    } while (result == 1);
    if (result < 0)
        channel_stop(o->channel);
}

/* ---- The caller's side ---- */

static int new_codec(const struct output_options *options, struct output_codec **out,
                     struct error *err)
{
    int level = options->level_is_set ? options->level : 0;

    switch (options->container) {
    case CONTAINER_GZIP:
        return output_gzip_new(level, out, err);
    case CONTAINER_ZSTD:
        return output_zstd_new(level, out, err);
    case CONTAINER_PLAIN:
        break;
    }
    return output_plain_new(out, err);
}

int output_new(os_handle handle, const struct output_options *options, struct output **out,
               struct error *err)
{
    struct output *o = calloc(1, sizeof *o);

    if (!o)
        return error_memory(err);
    o->sink.handle = handle;
    o->sink.checksum = XXH3_createState();
    if (!o->sink.checksum) {
        error_memory(err);
        goto failed;
    }
    if (hasher_new(&o->hasher, err) || new_codec(options, &o->codec, err) ||
        channel_new(BLOCK_COUNT, BLOCK_BYTES, &o->channel, err) ||
        os_thread_start(compress_frames, o, &o->thread, err))
        goto failed;
    *out = o;
    return 0;
failed:
    output_free(o);
    return -1;
}

/* Ends the channel and waits until the thread has written what it got. */
static void join(struct output *o)
{
    if (!o->thread)
        return;
    channel_end(o->channel, NULL);
    os_thread_join(o->thread);
    o->thread = NULL;
}

void output_free(struct output *o)
{
    if (!o)
        return;
    join(o);
    channel_free(o->channel);
    if (o->codec)
        o->codec->ops->release(o->codec);
    XXH3_freeState(o->sink.checksum);
    hasher_free(o->hasher);
    free(o->frames);
    error_release(&o->failure);
    free(o);
}

/* The thread gave up: tells its reason, once. */
static int tell_failure(struct output *o, struct error *err)
{
    join(o);
    if (o->broken)
        return error_set(err, ERROR_USAGE, "write archive", "writing has failed before");
    o->broken = true;
    error_move(err, &o->failure);
    return -1;
}

/* Makes sure that there is a block to fill. */
static int need_block(struct output *o, struct error *err)
{
    if (o->block)
        return 0;
    o->block = o->broken ? NULL : channel_fill(o->channel);
    if (!o->block)
        return tell_failure(o, err);
    o->block->size = 0;
    return 0;
}

static void pass_block(struct output *o, uint32_t mark)
{
    o->block->mark = mark;
    o->block = NULL;
    channel_pass(o->channel);
}

/* Ends the frame with the block that is being filled; an empty one if the last block was full. */
static int end_frame(struct output *o, struct error *err)
{
    if (need_block(o, err))
        return -1;
    pass_block(o, MARK_FRAME_ENDS);
    o->frame_bytes = 0;
    return 0;
}

int output_begin_entry(struct output *o, struct error *err)
{
    return o->frame_bytes >= FRAME_SOFT_BYTES ? end_frame(o, err) : 0;
}

int output_reserve(struct output *o, uint8_t **bytes, size_t *capacity, struct error *err)
{
    if (need_block(o, err))
        return -1;
    size_t in_block = BLOCK_BYTES - o->block->size;
    size_t in_frame = FRAME_HARD_BYTES - o->frame_bytes;
    *bytes = o->block->data + o->block->size;
    *capacity = in_block < in_frame ? in_block : in_frame;
    return 0;
}

int output_commit(struct output *o, size_t count, struct error *err)
{
    o->block->size += count;
    o->frame_bytes += count;
    o->raw_bytes += count;
    if (o->frame_bytes == FRAME_HARD_BYTES)
        return end_frame(o, err);
    if (o->block->size == BLOCK_BYTES)
        pass_block(o, MARK_FRAME_GOES_ON);
    return 0;
}

int output_write(struct output *o, const void *bytes, size_t count, struct error *err)
{
    const uint8_t *from = bytes;

    while (count != 0) {
        uint8_t *to;
        size_t part;
        if (output_reserve(o, &to, &part, err))
            return -1;
        if (part > count)
            part = count;
        memcpy(to, from, part);
        if (output_commit(o, part, err))
            return -1;
        from += part;
        count -= part;
    }
    return 0;
}

uint64_t output_position(const struct output *o)
{
    return o->raw_bytes;
}

static int write_tail(struct output *o, struct tail *tail, struct error *err)
{
    struct buffer encoded = {0};
    int result = -1;

    tail->container = o->codec->ops->container;
    tail->frames = o->frames;
    tail->frame_count = o->frame_count;
    tail->raw_bytes = o->raw_bytes;
    tail->raw_hash = hasher_result(o->hasher);
    if (tail_encode(&encoded, tail, err) == 0)
        result = o->codec->ops->finish(o->codec, tail, buffer_bytes(&encoded), &o->sink, err);
    buffer_release(&encoded);
    return result;
}

int output_finish(struct output *o, struct tail *tail, struct error *err)
{
    if (o->frame_bytes != 0 && end_frame(o, err))
        return -1;
    join(o);
    if (o->broken || o->failure.kind != ERROR_NONE)
        return tell_failure(o, err);
    return write_tail(o, tail, err);
}

uint64_t output_stored_bytes(const struct output *o)
{
    return o->sink.stored_bytes;
}
