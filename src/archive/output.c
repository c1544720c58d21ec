/*
 * output.c: cuts the tar stream into frames, has them compressed by a pool of threads, and writes
 * them in order. Promises that frames depend on the content alone, however the caller slices its
 * writes; leaves to the codecs how a frame is stored.
 *
 * Frames go round in a ring of places, one more than there are threads: one is being filled while
 * the others are compressed. Whoever has compressed the frame whose turn it is writes it, and those
 * behind it that are ready.
 */
#include "archive/output.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "archive/container.h"
#include "archive/output_codec.h"
#include "base/hash.h"
#include "os/pool.h"
#include "os/thread.h"

/* A place in the ring. */
struct frame_job {
    struct pool_task task; /* first: the pool gives it back */
    struct output *output;
    uint8_t *raw; /* hard_bytes, made when first needed */
    size_t raw_bytes;
    uint64_t number;     /* of the frame */
    struct bytes stored; /* the compressed frame */
    uint64_t checksum;   /* of it */
    bool is_ready;       /* compressed, and not written yet */
};

struct output {
    const struct output_codec *codec;
    int level;
    struct pool *pool;
    struct frame_job *jobs;
    size_t job_count;
    struct buffer *memory; /* for a compressed frame, one less than there are jobs: frames take them
                              in turn */

    /* The caller's side. */
    struct frame_job *job;         /* being filled, or NULL */
    size_t soft_bytes, hard_bytes; /* of a frame: where it may end, where it must */
    uint64_t given;                /* frames handed to the pool */
    uint64_t raw_bytes;            /* of the stream */
    bool broken;                   /* the failure was told */
    bool has_stream;               /* all of it was written */

    /* Under the mutex. */
    struct os_mutex *mutex;
    struct os_condition *freed, *turned; /* a place; a piece of memory */
    uint64_t written;                    /* frames whose place is free again */
    bool is_writing;                     /* somebody is */
    struct error failure;

    /* Of whoever writes; the caller's once all is written. */
    struct output_sink sink;
    struct frame *frames;
    size_t frame_count, frame_capacity;
    uint64_t framed_bytes; /* end of the last frame in the stream */
    struct hasher *hasher; /* of the stream */
};

int output_sink_write(struct output_sink *sink, const void *bytes, size_t count, struct error *err)
{
    if (count == 0)
        return 0;
    if (os_write(sink->handle, bytes, count, err))
        return -1;
    sink->stored_bytes += count;
    return 0;
}

/* ---- The compressing threads ---- */

static int add_frame(struct output *o, const struct frame_job *job, uint64_t stored_offset,
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
        .stored_bytes = job->stored.size,
        .raw_offset = o->framed_bytes,
        .raw_bytes = job->raw_bytes,
        .checksum = job->checksum,
    };
    o->framed_bytes += job->raw_bytes;
    return 0;
}

static int write_frame(struct output *o, const struct frame_job *job, struct error *err)
{
    uint64_t stored_offset = o->sink.stored_bytes;

    hasher_add(o->hasher, job->raw, job->raw_bytes);
    if (output_sink_write(&o->sink, job->stored.data, job->stored.size, err))
        return -1;
    return add_frame(o, job, stored_offset, err);
}

/* With the mutex held: keeps the first failure, after which nothing is written any more. */
static void keep_failure(struct output *o, struct error *failure)
{
    if (o->failure.kind == ERROR_NONE)
        error_move(&o->failure, failure);
    error_release(failure);
}

/* With the mutex held: writes the frames whose turn it is, unless somebody does. */
static void write_ready(struct output *o)
{
    struct frame_job *job;

    if (o->is_writing)
        return;
    o->is_writing = true;
    while ((job = &o->jobs[o->written % o->job_count])->is_ready) {
        bool has_failed = o->failure.kind != ERROR_NONE;
        struct error failure = {0};

        os_mutex_unlock(o->mutex);
        int result = has_failed ? 0 : write_frame(o, job, &failure);
        os_mutex_lock(o->mutex);
        if (result)
            keep_failure(o, &failure);
        job->is_ready = false;
        o->written++;
        os_condition_signal(o->freed);
        os_condition_signal(o->turned);
    }
    o->is_writing = false;
}

/* Waits until the frame that had the memory before is written: at most the last frame of the ring
 * does, and never the one whose turn it is. */
static struct buffer *take_memory(struct output *o, const struct frame_job *job)
{
    size_t count = o->job_count - 1;

    os_mutex_lock(o->mutex);
    while (job->number - o->written >= count)
        os_condition_wait(o->turned, o->mutex);
    os_mutex_unlock(o->mutex);
    return &o->memory[job->number % count];
}

static void compress_frame(struct pool_task *task)
{
    struct frame_job *job = (struct frame_job *)task;
    struct output *o = job->output;
    struct error failure = {0};

    struct buffer *memory = take_memory(o, job);
    int result = o->codec->make_frame(bytes_make(job->raw, job->raw_bytes), o->level, memory,
                                      &job->stored, &failure);
    if (result == 0)
        job->checksum = XXH3_64bits(job->stored.data, job->stored.size);
    os_mutex_lock(o->mutex);
    if (result)
        keep_failure(o, &failure);
    job->is_ready = true;
    write_ready(o);
    os_mutex_unlock(o->mutex);
}

/* ---- The caller's side ---- */

static const struct output_codec *codec_of(enum container container)
{
    switch (container) {
    case CONTAINER_GZIP:
        return &output_gzip;
    case CONTAINER_ZSTD:
        return &output_zstd;
    case CONTAINER_PLAIN:
        break;
    }
    return &output_plain;
}

static int make_jobs(struct output *o, size_t threads, struct error *err)
{
    o->job_count = threads + 1;
    o->jobs = calloc(o->job_count, sizeof *o->jobs);
    o->memory = calloc(threads, sizeof *o->memory);
    if (!o->jobs || !o->memory)
        return error_memory(err);
    for (size_t i = 0; i < o->job_count; i++) {
        o->jobs[i].task.work = compress_frame;
        o->jobs[i].output = o;
    }
    return 0;
}

int output_new(os_handle handle, const struct output_options *options, struct output **out,
               struct error *err)
{
    struct output *o = calloc(1, sizeof *o);
    size_t threads = options->threads ? options->threads : 1;

    if (!o)
        return error_memory(err);
    o->sink.handle = handle;
    o->codec = codec_of(options->container);
    o->level = options->level_is_set ? options->level : 0;
    o->soft_bytes = options->frame_bytes ? options->frame_bytes : FRAME_SOFT_BYTES;
    o->hard_bytes = options->frame_bytes ? o->soft_bytes + o->soft_bytes / 8 : FRAME_HARD_BYTES;
    if (o->codec->check_level(o->level, err) || hasher_new(&o->hasher, err) ||
        os_mutex_new(&o->mutex, err) || os_condition_new(&o->freed, err) ||
        os_condition_new(&o->turned, err) || make_jobs(o, threads, err) ||
        pool_new(threads, &o->pool, err)) {
        output_free(o);
        return -1;
    }
    *out = o;
    return 0;
}

/* Waits until the threads have written what they got. */
static void join(struct output *o)
{
    pool_free(o->pool);
    o->pool = NULL;
}

void output_free(struct output *o)
{
    if (!o)
        return;
    join(o);
    for (size_t i = 0; o->jobs && i < o->job_count; i++) {
        free(o->jobs[i].raw);
        if (o->memory && i + 1 < o->job_count)
            buffer_release(&o->memory[i]);
    }
    free(o->memory);
    free(o->jobs);
    os_condition_free(o->freed);
    os_condition_free(o->turned);
    os_mutex_free(o->mutex);
    hasher_free(o->hasher);
    free(o->frames);
    error_release(&o->failure);
    free(o);
}

/* A thread gave up: tells its reason, once. */
static int tell_failure(struct output *o, struct error *err)
{
    join(o);
    if (o->broken)
        return error_set(err, ERROR_USAGE, "write archive", "writing has failed before");
    o->broken = true;
    error_move(err, &o->failure);
    return -1;
}

/* Makes sure that there is a frame to fill. */
static int need_job(struct output *o, struct error *err)
{
    if (o->job)
        return 0;
    if (o->broken)
        return tell_failure(o, err);
    os_mutex_lock(o->mutex);
    while (o->given - o->written == o->job_count)
        os_condition_wait(o->freed, o->mutex);
    bool has_failed = o->failure.kind != ERROR_NONE;
    os_mutex_unlock(o->mutex);
    if (has_failed)
        return tell_failure(o, err);
    struct frame_job *job = &o->jobs[o->given % o->job_count];
    if (o->given >= o->job_count)
        pool_wait(o->pool, &job->task); /* its frame is written, but its thread may write others */
    if (!job->raw)
        job->raw = malloc(o->hard_bytes);
    if (!job->raw)
        return error_memory(err);
    job->raw_bytes = 0;
    o->job = job;
    return 0;
}

/* Ends the frame that is being filled. */
static void end_frame(struct output *o)
{
    struct frame_job *job = o->job;

    o->job = NULL;
    job->number = o->given++;
    pool_give(o->pool, &job->task);
}

int output_begin_entry(struct output *o, struct error *err)
{
    (void)err;
    if (o->job && o->job->raw_bytes >= o->soft_bytes)
        end_frame(o);
    return 0;
}

int output_reserve(struct output *o, uint8_t **bytes, size_t *capacity, struct error *err)
{
    if (need_job(o, err))
        return -1;
    *bytes = o->job->raw + o->job->raw_bytes;
    *capacity = o->hard_bytes - o->job->raw_bytes;
    return 0;
}

int output_commit(struct output *o, size_t count, struct error *err)
{
    (void)err;
    o->job->raw_bytes += count;
    o->raw_bytes += count;
    if (o->job->raw_bytes == o->hard_bytes)
        end_frame(o);
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

static int write_pieces(struct output *o, struct tail_writer *w, struct error *err)
{
    uint64_t left = tail_writer_bytes(w);
    struct buffer piece = {0};
    int result = buffer_reserve(&piece, o->codec->piece_bytes, err);

    while (result == 0 && left != 0) {
        piece.size = container_piece_bytes(left, o->codec->piece_bytes);
        result = tail_writer_read(w, piece.data, piece.size, err);
        if (result == 0)
            result = o->codec->write_piece(buffer_bytes(&piece), &o->sink, err);
        left -= piece.size;
    }
    buffer_release(&piece);
    return result;
}

static int write_tail(struct output *o, struct tail *tail, struct error *err)
{
    struct tail_writer *w = NULL;
    int result;

    tail->container = o->codec->container;
    tail->frames = o->frames;
    tail->frame_count = o->frame_count;
    tail->raw_bytes = o->raw_bytes;
    tail->raw_hash = hasher_result(o->hasher);
    if (tail_writer_new(tail, &w, err))
        return -1;
    result = write_pieces(o, w, err);
    if (result == 0 && o->codec->finish)
        result = o->codec->finish(tail, (size_t)tail_writer_bytes(w), &o->sink, err);
    tail_writer_free(w);
    return result;
}

int output_finish(struct output *o, struct tail *tail, struct error *err)
{
    if (o->job && o->job->raw_bytes != 0)
        end_frame(o);
    join(o);
    if (o->broken || o->failure.kind != ERROR_NONE)
        return tell_failure(o, err);
    o->has_stream = true;
    return write_tail(o, tail, err);
}

bool output_has_stream(const struct output *o)
{
    return o->has_stream;
}

uint64_t output_stored_bytes(const struct output *o)
{
    return o->sink.stored_bytes;
}
