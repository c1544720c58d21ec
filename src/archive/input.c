/*
 * input.c: finds out how an archive is compressed, runs its decoder in a second thread, and gives
 * the bytes out in order. Promises that what the decoder found damaged reaches the reader behind
 * the last good byte; leaves to the decoders what is checked.
 */
#include "archive/input.h"

#include <stdlib.h>
#include <string.h>

#include "archive/container.h"
#include "archive/input_decoder.h"
#include "archive/tar.h"
#include "base/hash.h"
#include "os/channel.h"
#include "os/thread.h"

enum { HEAD_BYTES = 64 << 10, HASH_BYTES = 64 << 10, DISC_MARK_OFFSET = 0x8001 };

/* What is read ahead, at first: who only looks into an archive shall not read much of it. */
enum { BLOCK_COUNT = 3, BLOCK_BYTES = 256 << 10 };
/* Later zstd's frames come whole, if they are not larger than ours. */
enum { FRAME_BLOCK_COUNT = 2, FRAME_BLOCK_BYTES = FRAME_HARD_BYTES };

enum compression { COMPRESSION_NONE, COMPRESSION_GZIP, COMPRESSION_ZSTD, COMPRESSION_OTHER };

/* The container that goes with each compression but the last. */
static const enum container containers[] = {CONTAINER_PLAIN, CONTAINER_GZIP, CONTAINER_ZSTD};

struct input {
    struct input_raw
        raw; /* the thread's while it runs, but for what is constant and the position */
    enum input_trust trust;
    enum compression compression;
    struct input_decoder *decoder; /* the thread's, too */
    struct input_passing passing;  /* the thread's, too */
    struct channel *channel;
    size_t block_bytes; /* of the channel's blocks, once so much has passed */
    struct os_thread *thread;

    enum input_kind kind;
    struct channel_block *block; /* being read, or NULL */
    size_t block_taken;          /* of it */
    size_t block_hashed;         /* of that */
    uint64_t position;           /* of the decompressed bytes */
    struct hasher *hasher;       /* of the tar stream as far as it was taken */
    bool at_end, has_failed, is_drained;
    struct tail_reader *behind; /* of the tail behind the tar stream, once drained */
    struct tail_reader *ahead;  /* of the tail's head at the end of the file, or NULL */
};

/* ---- The decompressing thread ---- */

static void decompress(void *context)
{
    struct input *in = context;
    struct error failure = {0};
    struct channel_block *block;
    uint64_t given = 0;
    int result = 0;
    bool ends = false;

    while (result == 0 && !ends && (block = channel_fill(in->channel)) != NULL) {
        size_t room = given < in->block_bytes ? BLOCK_BYTES : in->block_bytes;
        result = channel_grow(block, room, &failure);
        if (result == 0)
            result = in->decoder->ops->read(in->decoder, block->data, room, &block->size, &failure);
        given += block->size;
        ends = block->size == 0;
        channel_pass(in->channel);
    }
    channel_end(in->channel, result ? &failure : NULL);
    error_release(&failure);
}

/* Waits for the thread, whose parts belong to the caller then. */
static void join(struct input *in)
{
    os_thread_join(in->thread);
    in->thread = NULL;
}

/* ---- Beginning and ending ---- */

static int new_decoder(struct input *in, struct error *err)
{
    switch (in->compression) {
    case COMPRESSION_GZIP:
        return input_gzip_new(&in->raw, &in->passing, &in->decoder, err);
    case COMPRESSION_ZSTD:
        return input_zstd_new(&in->raw, &in->passing, &in->decoder, err);
    case COMPRESSION_OTHER: {
        int found = input_filter_new(&in->raw, &in->decoder, err);
        if (found != 0)
            return found < 0 ? -1 : 0;
        in->compression = COMPRESSION_NONE;
        break;
    }
    case COMPRESSION_NONE:
        break;
    }
    return input_plain_new(&in->raw, &in->decoder, err);
}

/* Lets no byte of a damaged frame out, where there are frames. */
static int add_proof(struct input *in, struct error *err)
{
    if (in->trust == INPUT_AS_IT_COMES ||
        (in->compression != COMPRESSION_GZIP && in->compression != COMPRESSION_ZSTD))
        return 0;
    return input_whole_new(in->decoder, &in->passing, &in->decoder, err);
}

static int start(struct input *in, struct error *err)
{
    bool by_frame = in->compression == COMPRESSION_ZSTD && in->trust == INPUT_AS_IT_COMES;

    in->block_bytes = by_frame ? FRAME_BLOCK_BYTES : BLOCK_BYTES;
    if (new_decoder(in, err) || add_proof(in, err) ||
        channel_new(by_frame ? FRAME_BLOCK_COUNT : BLOCK_COUNT, BLOCK_BYTES, &in->channel, err))
        return -1;
    return os_thread_start(decompress, in, &in->thread, err);
}

static void stop(struct input *in)
{
    if (in->thread) {
        in->raw.is_stopped = true;
        channel_stop(in->channel);
        join(in);
        in->raw.is_stopped = false;
    }
    channel_free(in->channel);
    in->channel = NULL;
    in->block = NULL;
    if (in->decoder)
        in->decoder->ops->release(in->decoder);
    in->decoder = NULL;
}

static bool is_zero(const uint8_t *bytes, size_t count)
{
    return count == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, count - 1) == 0);
}

/* Disc images begin with zeros like an empty tar archive (ECMA-119, 7.1 and 8.1: the first
 * descriptor stands in sector 16). */
static bool is_disc_image(struct bytes head)
{
    return head.size >= DISC_MARK_OFFSET + 5 &&
           memcmp(head.data + DISC_MARK_OFFSET, "CD001", 5) == 0;
}

static bool begins_tar(struct bytes head)
{
    if (head.size < TAR_BLOCK_BYTES)
        return false;
    return tar_is_header(head.data) ||
           (is_zero(head.data, TAR_BLOCK_BYTES) && !is_disc_image(head));
}

/* Guesses from the first stored bytes; COMPRESSION_OTHER is settled by libarchive's filters. */
static int detect(struct input *in, struct error *err)
{
    struct bytes head;

    if (input_raw_peek(&in->raw, HEAD_BYTES, &head, err))
        return -1;
    if (input_zstd_begins(head))
        in->compression = COMPRESSION_ZSTD;
    else if (input_gzip_begins(head))
        in->compression = COMPRESSION_GZIP;
    else if (head.size == 0 || begins_tar(head))
        in->compression = COMPRESSION_NONE;
    else
        in->compression = COMPRESSION_OTHER;
    return 0;
}

/* Hashes what was taken of the block: many small pieces at once, but while a core still has them in
 * its cache. */
static void hash_taken(struct input *in)
{
    if (in->block)
        hasher_add(in->hasher, in->block->data + in->block_hashed,
                   in->block_taken - in->block_hashed);
    in->block_hashed = in->block_taken;
}

/* Makes in->block hold bytes that were not taken: 1, 0 at the end, -1. */
static int need_block(struct input *in, struct error *err)
{
    if (in->has_failed)
        return error_set(err, ERROR_FORMAT, "read archive", "reading has failed before");
    while (!in->at_end && (!in->block || in->block_taken == in->block->size)) {
        hash_taken(in);
        if (in->block)
            channel_return(in->channel);
        in->block = NULL;
        in->block_taken = in->block_hashed = 0;
        int result = channel_take(in->channel, &in->block, err);
        if (result == 1)
            continue;
        in->block = NULL;
        join(in);
        in->at_end = true;
        in->has_failed = result < 0;
        if (result < 0)
            return -1;
    }
    return in->at_end ? 0 : 1;
}

static struct bytes block_rest(const struct input *in)
{
    return bytes_make(in->block->data + in->block_taken, in->block->size - in->block_taken);
}

static int find_kind(struct input *in, struct error *err)
{
    int result = need_block(in, err);

    if (result < 0)
        return -1;
    in->kind = result == 1 && begins_tar(block_rest(in)) ? INPUT_TAR : INPUT_FOREIGN;
    return 0;
}

static void release(struct input *in)
{
    stop(in);
    hasher_free(in->hasher);
    input_raw_release(&in->raw);
    input_passing_release(&in->passing);
    tail_reader_free(in->behind);
    tail_reader_free(in->ahead);
    free(in);
}

int input_open(os_handle handle, enum input_trust trust, struct input **out, struct error *err)
{
    struct input *in = calloc(1, sizeof *in);

    if (!in)
        return error_memory(err);
    in->trust = trust;
    if (hasher_new(&in->hasher, err) || input_passing_init(&in->passing, err) ||
        tail_reader_new(&in->passing.tail, err) || tail_reader_new(&in->behind, err) ||
        input_raw_init(&in->raw, handle, err))
        goto failed;
    if (detect(in, err) || start(in, err) || find_kind(in, err))
        goto failed;
    *out = in;
    return 0;
failed:
    release(in);
    return -1;
}

void input_close(struct input *in)
{
    if (!in)
        return;
    os_handle handle = in->raw.handle;
    release(in);
    os_close(handle);
}

enum input_kind input_kind(const struct input *in)
{
    return in->kind;
}

const char *input_compression(const struct input *in)
{
    return in->decoder->ops->name(in->decoder);
}

bool input_can_seek(const struct input *in)
{
    return in->raw.can_seek;
}

uint64_t input_stored_position(const struct input *in)
{
    return in->raw.position;
}

os_handle input_handle(const struct input *in)
{
    return in->raw.handle;
}

/* ---- Reading ---- */

static void take(struct input *in, size_t count)
{
    in->block_taken += count;
    in->position += count;
}

int input_take(struct input *in, size_t most, struct bytes *out, struct error *err)
{
    int result = need_block(in, err);

    if (result < 0)
        return -1;
    if (in->block_taken - in->block_hashed >= HASH_BYTES)
        hash_taken(in);
    *out = result ? block_rest(in) : bytes_make(NULL, 0);
    if (out->size > most)
        out->size = most;
    take(in, out->size);
    return 0;
}

int input_read(struct input *in, void *bytes, size_t capacity, size_t *got, struct error *err)
{
    struct bytes part;

    *got = 0;
    while (*got < capacity) {
        if (input_take(in, capacity - *got, &part, err))
            return -1;
        if (!part.size)
            break;
        memcpy((uint8_t *)bytes + *got, part.data, part.size);
        *got += part.size;
    }
    return 0;
}

int input_rewind(struct input *in, struct error *err)
{
    if (!in->raw.can_seek)
        return error_set(err, ERROR_UNSUPPORTED, "rewind", "a pipe cannot be read twice");
    stop(in);
    input_raw_rewind(&in->raw);
    in->block_taken = in->block_hashed = 0;
    in->position = 0;
    in->at_end = in->has_failed = in->is_drained = false;
    tail_reader_clear(in->behind);
    input_passing_clear(&in->passing);
    hasher_reset(in->hasher);
    return start(in, err);
}

/* ---- Draining and the tail ---- */

/* What comes behind the tar stream. */
struct drain {
    uint64_t count;        /* bytes from the first on that is not zero, up to tail_start */
    uint64_t stream_bytes; /* of the tar stream: all before that byte or before tail_start */
    uint64_t tail_start;   /* of a tail that is known to end the file; else UINT64_MAX, and whatever
                              begins with that byte may be one */
};

/* Where the tail of a plain archive begins that can be sought; UINT64_MAX if there is none. A
 * damaged one counts as bytes like others; input_tail says more. */
static uint64_t plain_tail_start(const struct input *in)
{
    struct tail_place tail;
    struct error ignored = {0};
    uint64_t start = UINT64_MAX;

    if (in->compression == COMPRESSION_NONE && in->raw.can_seek &&
        input_tail_find(&in->raw, CONTAINER_PLAIN, &tail, &ignored) == 1)
        start = tail.range.offset;
    error_release(&ignored);
    return start;
}

static int drain_bytes(struct input *in, struct drain *d, struct bytes bytes, struct error *err)
{
    if (d->count == 0) {
        size_t zeros = 0;
        while (zeros < bytes.size && bytes.data[zeros] == 0)
            zeros++;
        hasher_add(in->hasher, bytes.data, zeros);
        d->stream_bytes += zeros;
        bytes = bytes_make(bytes.data + zeros, bytes.size - zeros);
    }
    d->count += bytes.size;
    return d->tail_start == UINT64_MAX ? tail_reader_feed(in->behind, bytes, err) : 0;
}

static int drain_blocks(struct input *in, struct drain *d, struct error *err)
{
    int result;

    hash_taken(in);
    while ((result = need_block(in, err)) == 1) {
        struct bytes rest = block_rest(in);
        size_t before = rest.size;
        if (in->position >= d->tail_start)
            before = 0;
        else if (rest.size > d->tail_start - in->position)
            before = (size_t)(d->tail_start - in->position);
        if (drain_bytes(in, d, bytes_make(rest.data, before), err) ||
            tail_reader_feed(in->behind, bytes_make(rest.data + before, rest.size - before), err))
            return -1;
        take(in, rest.size);
        in->block_hashed = in->block_taken;
    }
    return result;
}

/* What was found behind the stream without having been expected there counts as a tail only if it
 * is whole. */
static void settle_behind(struct input *in, struct drain *d)
{
    struct error ignored = {0};

    if (d->tail_start == UINT64_MAX) {
        if (tail_reader_end(in->behind, &ignored) == 1)
            d->count -= tail_reader_bytes(in->behind);
        else
            tail_reader_clear(in->behind);
    }
    error_release(&ignored);
}

/* The reader of the tail that passed by: 1, 0 there was none, -1 it is damaged. */
static int passed_tail(const struct input *in, const struct tail_reader **out, struct error *err)
{
    if (!in->is_drained)
        return 0;
    int found = tail_reader_end(in->passing.tail, err);
    *out = found == 1 ? in->passing.tail : NULL;
    if (found != 0)
        return found;
    found = tail_reader_end(in->behind, err);
    *out = found == 1 ? in->behind : NULL;
    return found;
}

/* Reads the head of the tail at the end of the file: 1, 0 there is none, -1. */
static int read_ahead(struct input *in, struct error *err)
{
    struct tail_place place;

    if (!in->raw.can_seek || in->compression == COMPRESSION_OTHER)
        return 0;
    if (in->ahead)
        return 1;
    int found = input_tail_find(&in->raw, containers[in->compression], &place, err);
    if (found != 1)
        return found;
    if (tail_reader_new(&in->ahead, err))
        return -1;
    if (input_tail_head(&in->raw, &place, in->ahead, err) == 0)
        return 1;
    tail_reader_free(in->ahead);
    in->ahead = NULL;
    return -1;
}

/* True if the container itself holds the tail, in pieces that the decoder sees. */
static bool has_pieces(const struct input *in)
{
    return in->compression == COMPRESSION_GZIP || in->compression == COMPRESSION_ZSTD;
}

int input_tail(struct input *in, const struct tail **out, struct error *err)
{
    const struct tail_reader *reader = NULL;
    int ahead = read_ahead(in, err);
    int passed = ahead < 0 ? -1 : passed_tail(in, &reader, err);

    if (passed < 0)
        return -1;
    /* Of a file the pieces have to stand where those look for them who do not read all. */
    if (in->raw.can_seek && has_pieces(in) && reader == in->passing.tail && ahead == 0)
        return 0;
    if (in->is_drained && ahead == 1 && reader != (has_pieces(in) ? in->passing.tail : in->behind))
        return error_set(err, ERROR_FORMAT, "read tail", "the archive's tail is damaged");
    if (passed == 0 && ahead == 0)
        return 0;
    *out = tail_reader_tail(passed == 1 ? reader : in->ahead);
    return 1;
}

const struct index_sum *input_index_sum(const struct input *in)
{
    const struct tail_reader *reader = NULL;
    struct error ignored = {0};
    int found = passed_tail(in, &reader, &ignored);

    error_release(&ignored);
    return found == 1 && tail_reader_tail(reader)->index ? tail_reader_sum(reader) : NULL;
}

static int damaged(struct error *err, const char *what)
{
    return error_set(err, ERROR_FORMAT, "read archive", "the archive is damaged: %s", what);
}

/* Compares the frames that passed by, and their seek table, with those of the tail. */
static int check_frames(struct input *in, const struct tail *t, uint64_t tail_bytes,
                        struct error *err)
{
    struct input_passing wanted = {0};
    int result = -1;

    if (input_passing_init(&wanted, err))
        return -1;
    for (size_t i = 0; i < t->frame_count; i++)
        input_passing_frame(&wanted, t->frames[i].stored_offset, t->frames[i].stored_bytes,
                            t->frames[i].checksum);
    if (t->container == CONTAINER_ZSTD &&
        container_seek_table(&wanted.table, t, (size_t)tail_bytes, err))
        goto out;
    struct hash128 seen = hasher_result(in->passing.frames), told = hasher_result(wanted.frames);
    if (seen.low != told.low || seen.high != told.high)
        damaged(err, "its compressed bytes are not those that were written");
    else if (!bytes_equal(buffer_bytes(&in->passing.table), buffer_bytes(&wanted.table)))
        damaged(err, "its seek table is wrong");
    else
        result = 0;
out:
    input_passing_release(&wanted);
    return result;
}

/* Compares what passed by with what the tail tells of it. A damaged tail is the matter of
 * input_tail. */
static int check_stream(struct input *in, uint64_t stream_bytes, struct error *err)
{
    const struct tail_reader *reader = NULL;
    struct error ignored = {0};

    int found = passed_tail(in, &reader, &ignored);
    error_release(&ignored);
    if (found != 1)
        return 0;
    const struct tail *t = tail_reader_tail(reader);
    struct hash128 hash = hasher_result(in->hasher);
    if (t->raw_bytes != stream_bytes)
        return damaged(err, "its content is not as long as its tail says");
    if (t->raw_hash.low != hash.low || t->raw_hash.high != hash.high)
        return damaged(err, "the checksum of its content is wrong");
    if (t->container == CONTAINER_PLAIN || in->compression == COMPRESSION_OTHER ||
        t->container != containers[in->compression])
        return 0; /* compressed anew: the frames are not those of the tail */
    return check_frames(in, t, tail_reader_bytes(reader), err);
}

int input_drain(struct input *in, uint64_t *trailing, struct error *err)
{
    struct drain d = {.tail_start = plain_tail_start(in), .stream_bytes = in->position};

    *trailing = 0;
    if (drain_blocks(in, &d, err))
        return -1;
    settle_behind(in, &d);
    *trailing = d.count;
    in->is_drained = true;
    return check_stream(in, d.stream_bytes, err);
}
