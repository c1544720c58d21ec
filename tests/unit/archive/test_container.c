/*
 * The containers: what goes through output comes back through input, from a file and from a pipe;
 * frames stand where the table says and decompress on their own; cuts do not depend on how the
 * writes were sliced; damage is found.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xxhash.h>
#ifndef ZLIB_CONST
#define ZLIB_CONST
#endif
#include <zlib.h>
#include <zstd.h>

#include "archive/input.h"
#include "archive/output.h"
#include "archive/tar.h"
#include "support/check.h"
#include "support/folder.h"

static struct error err;

static const enum container containers[] = {CONTAINER_PLAIN, CONTAINER_GZIP, CONTAINER_ZSTD};
static const char *const compressions[] = {"plain", "gzip", "zstd"};
enum { CONTAINER_COUNT = 3 };

/* ---- Content ---- */

static uint64_t random_state;

/* xorshift64*: the same numbers in every run. */
static uint64_t next_random(void)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * UINT64_C(2685821657736338717);
}

/* A stream that begins with a tar header and ends in zeros: `lengths` of entries, each half noise
 * and half even. */
struct stream {
    struct buffer bytes;
    size_t starts[64];
    size_t count;
};

static void add_header(struct buffer *out)
{
    uint8_t block[TAR_BLOCK_BYTES] = "name";
    unsigned sum = 8 * ' ';

    memcpy(block + 100, "0000644", 7);
    memcpy(block + 257, "ustar\00000", 8);
    for (size_t i = 0; i < sizeof block; i++)
        sum += block[i];
    (void)snprintf((char *)block + 148, 8, "%06o", sum);
    block[155] = ' ';
    check_done(buffer_append(out, block, sizeof block, &err));
}

static void add_entry(struct stream *s, size_t length)
{
    s->starts[s->count++] = s->bytes.size;
    add_header(&s->bytes);
    check_done(buffer_reserve(&s->bytes, length, &err));
    for (size_t i = 0; i + 8 <= length; i += 8) {
        uint64_t value = i % 4096 < 2048 ? next_random() : i / 4096;
        memcpy(s->bytes.data + s->bytes.size + i, &value, 8);
    }
    s->bytes.size += length / TAR_BLOCK_BYTES * TAR_BLOCK_BYTES;
}

static void make_stream(struct stream *s, const size_t *lengths, size_t count)
{
    static const uint8_t end[2 * TAR_BLOCK_BYTES];

    memset(s, 0, sizeof *s);
    random_state = 88172645463325252;
    for (size_t i = 0; i < count; i++)
        add_entry(s, lengths[i]);
    check_done(buffer_append(&s->bytes, end, sizeof end, &err));
}

static const size_t many_lengths[] = {100,     3 << 20, 7 << 20, 512,  0,       8 << 20,
                                      9 << 20, 100,     4096,    5000, 5 << 20, 1 << 20};
enum { MANY = sizeof many_lengths / sizeof *many_lengths };

/* ---- Writing and reading ---- */

/* More than is read before the first bytes are given out. */
enum { PIPE_BYTES = 400000 };

enum slicing { ONE_WRITE_AN_ENTRY, SMALL_WRITES, FILLED_IN_PLACE };

static void write_slice(struct output *o, struct bytes bytes, enum slicing slicing)
{
    while (bytes.size != 0) {
        size_t part = slicing == ONE_WRITE_AN_ENTRY ? bytes.size : 1 + next_random() % 300000;
        uint8_t *room;
        if (part > bytes.size)
            part = bytes.size;
        if (slicing == FILLED_IN_PLACE) {
            size_t capacity;
            check_done(output_reserve(o, &room, &capacity, &err));
            assert_true(capacity > 0);
            part = part < capacity ? part : capacity;
            memcpy(room, bytes.data, part);
            check_done(output_commit(o, part, &err));
        } else {
            check_done(output_write(o, bytes.data, part, &err));
        }
        bytes = bytes_make(bytes.data + part, bytes.size - part);
    }
}

/* Of the compressor. */
static size_t threads = 1;

/* Writes the stream as an archive and returns its table of frames. */
static size_t write_archive(os_handle file, enum container container, const struct stream *s,
                            struct tail *tail, struct frame *frames, enum slicing slicing)
{
    struct output_options options = {.container = container, .threads = threads};
    struct output *o;

    check_done(output_new(file, &options, &o, &err));
    for (size_t i = 0; i < s->count; i++) {
        size_t end = i + 1 < s->count ? s->starts[i + 1] : s->bytes.size;
        check_done(output_begin_entry(o, &err));
        assert_int_equal(output_position(o), s->starts[i]);
        write_slice(o, bytes_make(s->bytes.data + s->starts[i], end - s->starts[i]), slicing);
    }
    check_done(output_finish(o, tail, &err));
    struct os_stat status;
    check_done(os_stat_handle(file, &status, &err));
    if (status.kind == OS_FILE)
        assert_int_equal(output_stored_bytes(o), status.size);
    size_t count = tail->frame_count;
    assert_true(count <= 64);
    memcpy(frames, tail->frames, count * sizeof *frames);
    output_free(o);
    return count;
}

static os_handle new_file(const struct folder *f, const char *name)
{
    os_handle file;

    check_done(os_create_file(f->handle, name, 0600, &file, &err));
    return file;
}

static struct tail small_tail(void)
{
    return (struct tail){.facts = {.host_system = "linux", .ordered = true}, .entries = 12};
}

/* A second handle on the same file, for input_open, which takes it. */
static os_handle again(os_handle file)
{
    int copy = dup((int)file);
    assert_true(copy >= 0);
    return copy;
}

/* The reading end of a pipe into which a child writes `bytes`. */
static os_handle pipe_of(struct bytes bytes)
{
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        while (bytes.size != 0) {
            ssize_t written = write(ends[1], bytes.data, bytes.size);
            if (written <= 0)
                _exit(0);
            bytes = bytes_make(bytes.data + written, bytes.size - (size_t)written);
        }
        _exit(0);
    }
    close(ends[1]);
    return ends[0];
}

static void end_children(void)
{
    while (wait(NULL) > 0)
        continue;
}

static struct buffer content_of(os_handle file)
{
    struct buffer b = {0};
    struct os_stat status;
    size_t got;

    check_done(os_stat_handle(file, &status, &err));
    check_done(buffer_reserve(&b, (size_t)status.size + 1, &err));
    check_done(os_read_at(file, (struct os_range){0, (size_t)status.size}, b.data, &got, &err));
    b.size = got;
    return b;
}

/* Reads as much as the stream is long and compares. */
static void check_reads(struct input *in, const struct stream *s)
{
    struct buffer got = {0};

    check_done(buffer_reserve(&got, s->bytes.size, &err));
    while (got.size < s->bytes.size) {
        size_t part = 1 + next_random() % 400000, count;
        if (part > s->bytes.size - got.size)
            part = s->bytes.size - got.size;
        check_done(input_read(in, got.data + got.size, part, &count, &err));
        assert_int_equal(count, part);
        got.size += count;
    }
    assert_memory_equal(got.data, s->bytes.data, got.size);
    buffer_release(&got);
}

static void check_tail(struct input *in, const struct tail *wanted)
{
    const struct tail *t = NULL;

    assert_int_equal(check_done(input_tail(in, &t, &err)), 1);
    assert_int_equal(t->entries, wanted->entries);
    assert_int_equal(t->container, wanted->container);
    assert_int_equal(t->raw_bytes, wanted->raw_bytes);
    assert_int_equal(t->frame_count, wanted->frame_count);
    assert_int_equal(t->loss_count, wanted->loss_count);
}

/* ---- Frames ---- */

static void check_decompresses(enum container container, struct bytes stored, struct bytes raw)
{
    struct buffer out = {0};

    check_done(buffer_reserve(&out, raw.size + 1, &err));
    if (container == CONTAINER_ZSTD) {
        assert_int_equal(ZSTD_decompress(out.data, raw.size, stored.data, stored.size), raw.size);
    } else if (container == CONTAINER_GZIP) {
        z_stream stream = {.next_in = stored.data,
                           .avail_in = (uInt)stored.size,
                           .next_out = out.data,
                           .avail_out = (uInt)raw.size + 1};
        assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
        assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
        assert_int_equal(stream.total_out, raw.size);
        assert_int_equal(stream.avail_in, 0);
        inflateEnd(&stream);
    } else {
        assert_int_equal(stored.size, raw.size);
        memcpy(out.data, stored.data, raw.size);
    }
    assert_memory_equal(out.data, raw.data, raw.size);
    buffer_release(&out);
}

static void check_frames(enum container container, const struct frame *frames, size_t count,
                         os_handle file, const struct stream *s)
{
    struct buffer archive = content_of(file);
    uint64_t stored_end = 0, raw_end = 0;

    for (size_t i = 0; i < count; i++) {
        const struct frame *f = &frames[i];
        assert_int_equal(f->stored_offset, stored_end);
        assert_int_equal(f->raw_offset, raw_end);
        stored_end += f->stored_bytes;
        raw_end += f->raw_bytes;
        assert_true(stored_end <= archive.size && raw_end <= s->bytes.size);
        struct bytes stored = bytes_make(archive.data + f->stored_offset, (size_t)f->stored_bytes);
        assert_int_equal(f->checksum, XXH3_64bits(stored.data, stored.size));
        check_decompresses(container, stored,
                           bytes_make(s->bytes.data + f->raw_offset, (size_t)f->raw_bytes));
    }
    assert_int_equal(raw_end, s->bytes.size);
    buffer_release(&archive);
}

/* Where the cuts must be by the rule, worked out from the stream alone. */
static void check_cuts(const struct frame *frames, size_t count, const struct stream *s)
{
    size_t frame = 0, begin = 0;

    for (size_t i = 0; i < s->count; i++) {
        size_t end = i + 1 < s->count ? s->starts[i + 1] : s->bytes.size;
        if (s->starts[i] - begin >= FRAME_SOFT_BYTES) {
            assert_int_equal(frames[frame++].raw_bytes, s->starts[i] - begin);
            begin = s->starts[i];
        }
        for (; end - begin >= FRAME_HARD_BYTES; begin += FRAME_HARD_BYTES)
            assert_int_equal(frames[frame++].raw_bytes, FRAME_HARD_BYTES);
    }
    if (s->bytes.size > begin)
        assert_int_equal(frames[frame++].raw_bytes, s->bytes.size - begin);
    assert_int_equal(frame, count);
}

static void test_round_trips(void **state)
{
    struct folder *f = *state;
    struct stream s;
    struct frame frames[64];

    make_stream(&s, many_lengths, MANY);
    for (size_t i = 0; i < CONTAINER_COUNT; i++) {
        os_handle file = new_file(f, compressions[i]);
        struct tail tail = small_tail();
        struct input *in;
        uint64_t trailing;

        size_t count = write_archive(file, containers[i], &s, &tail, frames, ONE_WRITE_AN_ENTRY);
        assert_true(count >= 5);
        check_frames(containers[i], frames, count, file, &s);
        check_cuts(frames, count, &s);

        check_done(input_open(again(file), INPUT_AS_IT_COMES, &in, &err));
        assert_int_equal(input_kind(in), INPUT_TAR);
        assert_string_equal(input_compression(in), compressions[i]);
        assert_true(input_can_seek(in));
        check_tail(in, &tail);
        check_reads(in, &s);
        check_done(input_drain(in, &trailing, &err));
        assert_int_equal(trailing, 0);
        check_done(input_rewind(in, &err));
        check_reads(in, &s);
        input_close(in);
        os_close(file);
    }
    buffer_release(&s.bytes);
}

static void test_pipes(void **state)
{
    struct folder *f = *state;
    struct stream s;
    struct frame frames[64];
    uint64_t trailing;

    make_stream(&s, many_lengths, 3);
    for (size_t i = 0; i < CONTAINER_COUNT; i++) {
        os_handle file = new_file(f, compressions[i]);
        struct tail tail = small_tail();
        struct input *in;

        write_archive(file, containers[i], &s, &tail, frames, SMALL_WRITES);
        struct buffer archive = content_of(file);
        check_done(input_open(pipe_of(buffer_bytes(&archive)), INPUT_AS_IT_COMES, &in, &err));
        assert_int_equal(input_kind(in), INPUT_TAR);
        assert_false(input_can_seek(in));
        check_kind(input_rewind(in, &err), ERROR_UNSUPPORTED);
        check_reads(in, &s);
        check_done(input_drain(in, &trailing, &err));
        assert_int_equal(trailing, 0);
        check_tail(in, &tail);
        assert_int_equal(input_stored_position(in), archive.size);
        input_close(in);
        end_children();
        buffer_release(&archive);
        os_close(file);
    }
    buffer_release(&s.bytes);
}

/* The same bytes however the writes were sliced, and by however many threads. */
static void test_same_bytes(void **state)
{
    struct folder *f = *state;
    static const enum slicing slicings[] = {SMALL_WRITES, FILLED_IN_PLACE};
    struct stream s;
    struct frame frames[64];

    make_stream(&s, many_lengths, MANY);
    for (size_t i = 0; i < CONTAINER_COUNT; i++) {
        struct tail tail = small_tail();
        os_handle file = new_file(f, "first");
        write_archive(file, containers[i], &s, &tail, frames, ONE_WRITE_AN_ENTRY);
        struct buffer first = content_of(file);
        for (size_t k = 0; k < 2; k++) {
            os_handle other = new_file(f, "other");
            threads = 2 + 3 * k;
            write_archive(other, containers[i], &s, &tail, frames, slicings[k]);
            threads = 1;
            struct buffer second = content_of(other);
            assert_true(bytes_equal(buffer_bytes(&first), buffer_bytes(&second)));
            buffer_release(&second);
            os_close(other);
            check_done(os_remove(f->handle, "other", &err));
        }
        buffer_release(&first);
        os_close(file);
        check_done(os_remove(f->handle, "first", &err));
    }
    buffer_release(&s.bytes);
}

/* A tail of several pieces in each container, and one that ends exactly with a piece. */
static void test_long_tails(void **state)
{
    struct folder *f = *state;
    enum { LOSS_BYTES = 2500000 };
    static const size_t lengths[] = {1000};
    uint8_t *noise = malloc(LOSS_BYTES);
    struct stream s;
    struct frame frames[64];
    uint64_t trailing;

    assert_non_null(noise);
    make_stream(&s, lengths, 1);
    for (size_t i = 0; i < LOSS_BYTES; i++)
        noise[i] = (uint8_t)(next_random() >> 32);
    for (size_t i = 0; i < CONTAINER_COUNT; i++) {
        os_handle file = new_file(f, compressions[i]);
        struct tail_loss loss = {bytes_make(noise, LOSS_BYTES), bytes_of("lost")};
        struct tail tail = small_tail();
        struct input *in;

        tail.losses = &loss;
        tail.loss_count = 1;
        write_archive(file, containers[i], &s, &tail, frames, ONE_WRITE_AN_ENTRY);
        check_done(input_open(again(file), INPUT_AS_IT_COMES, &in, &err));
        check_tail(in, &tail);
        input_close(in);
        struct buffer archive = content_of(file);
        check_done(input_open(pipe_of(buffer_bytes(&archive)), INPUT_AS_IT_COMES, &in, &err));
        check_reads(in, &s);
        check_done(input_drain(in, &trailing, &err));
        assert_int_equal(trailing, 0);
        check_tail(in, &tail);
        input_close(in);
        end_children();
        buffer_release(&archive);
        os_close(file);
    }
    free(noise);
    buffer_release(&s.bytes);
}

/* ---- Damage ---- */

/* Of an entry of SMALL_LENGTH bytes: two blocks of it and the end. */
enum { SMALL_LENGTH = 1024, SMALL_STREAM_BYTES = 512 + SMALL_LENGTH + 1024 };
static const size_t small_lengths[] = {SMALL_LENGTH};

enum finding { DAMAGED = -1, WHOLE, WITHOUT_TAIL };

/* Reads an archive from memory to its end. Never hangs,
 * never crashes. */
static int read_all(struct bytes archive, const struct folder *f, uint64_t *trailing)
{
    os_handle file = new_file(f, "damaged");
    struct input *in = NULL;
    const struct tail *tail;
    uint8_t stream[SMALL_STREAM_BYTES];
    size_t got;
    int result;

    check_done(os_write(file, archive.data, archive.size, &err));
    check_done(os_remove(f->handle, "damaged", &err));
    *trailing = 0;
    result = input_open(file, INPUT_AS_IT_COMES, &in, &err);
    if (result == 0)
        result = input_read(in, stream, sizeof stream, &got, &err);
    if (result == 0)
        result = input_drain(in, trailing, &err);
    if (result == 0)
        result = input_tail(in, &tail, &err);
    if (result >= 0 && input_kind(in) == INPUT_TAR)
        result = result == 1 ? WHOLE : WITHOUT_TAIL;
    else
        result = DAMAGED;
    if (in)
        input_close(in);
    else
        os_close(file);
    error_release(&err);
    return result;
}

static void test_cuts(void **state)
{
    struct folder *f = *state;
    struct stream s;
    struct frame frames[64];
    uint64_t trailing;

    make_stream(&s, small_lengths, 1);
    for (size_t i = 1; i < CONTAINER_COUNT; i++) {
        struct tail tail = small_tail();
        os_handle file = new_file(f, compressions[i]);
        write_archive(file, containers[i], &s, &tail, frames, ONE_WRITE_AN_ENTRY);
        struct buffer archive = content_of(file);
        for (size_t cut = 1; cut < frames[0].stored_bytes; cut++)
            if (cut >= 4)
                assert_int_equal(read_all(bytes_make(archive.data, cut), f, &trailing), DAMAGED);
        buffer_release(&archive);
        os_close(file);
    }
    buffer_release(&s.bytes);
}

/* A byte of the tar stream that changed where nothing but the tail's hash can tell. */
static void test_changed_content(void **state)
{
    struct folder *f = *state;
    struct stream s;
    struct frame frames[64];
    uint64_t trailing;

    make_stream(&s, small_lengths, 1);
    os_handle file = new_file(f, "plain");
    struct tail tail = small_tail();
    write_archive(file, CONTAINER_PLAIN, &s, &tail, frames, ONE_WRITE_AN_ENTRY);
    struct buffer archive = content_of(file);
    for (size_t at = 512; at < archive.size; at += 11) {
        archive.data[at] ^= 1;
        int result = read_all(buffer_bytes(&archive), f, &trailing);
        assert_true(result != WHOLE || trailing != 0);
        archive.data[at] ^= 1;
    }
    buffer_release(&archive);
    buffer_release(&s.bytes);
    os_close(file);
}

static void test_flips(void **state)
{
    struct folder *f = *state;
    struct stream s;
    struct frame frames[64];
    uint64_t trailing;

    make_stream(&s, small_lengths, 1);
    for (size_t i = 1; i < CONTAINER_COUNT; i++) {
        struct tail tail = small_tail();
        os_handle file = new_file(f, compressions[i]);
        write_archive(file, containers[i], &s, &tail, frames, ONE_WRITE_AN_ENTRY);
        struct buffer archive = content_of(file);
        for (size_t at = 0; at < archive.size; at++) {
            /* One bit of each byte, so that those come in that a decompressor passes over. */
            uint8_t bit = (uint8_t)(1u << (at + 4) % 8);
            archive.data[at] ^= bit;
            assert_int_not_equal(read_all(buffer_bytes(&archive), f, &trailing), WHOLE);
            archive.data[at] ^= bit;
        }
        buffer_release(&archive);
        os_close(file);
    }
    buffer_release(&s.bytes);
}

static void test_bytes_behind(void **state)
{
    struct folder *f = *state;
    static const uint8_t zeros[5000];
    struct stream s;
    struct frame frames[64];
    uint64_t trailing;

    make_stream(&s, small_lengths, 1);
    for (size_t i = 0; i < CONTAINER_COUNT; i++) {
        bool is_plain = containers[i] == CONTAINER_PLAIN;
        struct tail tail = small_tail();
        os_handle file = new_file(f, compressions[i]);
        write_archive(file, containers[i], &s, &tail, frames, ONE_WRITE_AN_ENTRY);
        struct buffer archive = content_of(file);
        size_t size = archive.size;

        check_done(buffer_append(&archive, "other bytes", 11, &err));
        assert_int_equal(read_all(buffer_bytes(&archive), f, &trailing),
                         is_plain ? WITHOUT_TAIL : DAMAGED);
        if (is_plain)
            assert_true(trailing > 11);
        archive.size = size;
        check_done(buffer_append(&archive, zeros, sizeof zeros, &err));
        int expected = containers[i] == CONTAINER_ZSTD ? DAMAGED : WITHOUT_TAIL;
        assert_int_equal(read_all(buffer_bytes(&archive), f, &trailing), expected);
        buffer_release(&archive);
        os_close(file);
    }
    buffer_release(&s.bytes);
}

/* A plain archive that somebody compressed later keeps its tail, and bytes behind a tar stream are
 * counted. */
static void test_bytes_behind_the_stream(void **state)
{
    struct folder *f = *state;
    struct stream s;
    struct frame frames[64];

    make_stream(&s, small_lengths, 1);
    os_handle file = new_file(f, "plain");
    struct tail tail = small_tail();
    write_archive(file, CONTAINER_PLAIN, &s, &tail, frames, ONE_WRITE_AN_ENTRY);
    struct buffer archive = content_of(file);
    uint8_t stored[20000];
    struct input *in;
    uint64_t trailing;

    size_t size = ZSTD_compress(stored, sizeof stored, archive.data, archive.size, 1);
    assert_false(ZSTD_isError(size));
    check_done(input_open(pipe_of(bytes_make(stored, size)), INPUT_AS_IT_COMES, &in, &err));
    check_reads(in, &s);
    check_done(input_drain(in, &trailing, &err));
    assert_int_equal(trailing, 0);
    check_tail(in, &tail);
    input_close(in);

    archive.size -= 7;
    size = ZSTD_compress(stored, sizeof stored, archive.data, archive.size, 1);
    check_done(input_open(pipe_of(bytes_make(stored, size)), INPUT_AS_IT_COMES, &in, &err));
    check_reads(in, &s);
    check_done(input_drain(in, &trailing, &err));
    assert_int_equal(trailing, archive.size - s.bytes.size);
    const struct tail *none;
    assert_int_equal(check_done(input_tail(in, &none, &err)), 0);
    input_close(in);
    end_children();
    buffer_release(&archive);
    buffer_release(&s.bytes);
    os_close(file);
}

/* ---- Kinds ---- */

static enum input_kind kind_of(const struct folder *f, const void *content, size_t count)
{
    os_handle file = new_file(f, "kind");
    struct input *in;

    check_done(os_write(file, content, count, &err));
    check_done(os_remove(f->handle, "kind", &err));
    check_done(input_open(file, INPUT_AS_IT_COMES, &in, &err));
    enum input_kind kind = input_kind(in);
    input_close(in);
    return kind;
}

static void test_kinds(void **state)
{
    struct folder *f = *state;
    static const uint8_t empty_tar[10240];
    uint8_t stored[1000];

    assert_int_equal(kind_of(f, empty_tar, sizeof empty_tar), INPUT_TAR);
    assert_int_equal(kind_of(f, "", 0), INPUT_FOREIGN);
    assert_int_equal(kind_of(f, "hello", 5), INPUT_FOREIGN);
    size_t size = ZSTD_compress(stored, sizeof stored, empty_tar, sizeof empty_tar, 1);
    assert_int_equal(kind_of(f, stored, size), INPUT_TAR);
    size = ZSTD_compress(stored, sizeof stored, "hello", 5, 1);
    assert_int_equal(kind_of(f, stored, size), INPUT_FOREIGN);
}

/* Closing while the thread waits for room must not hang. */
static void test_close_early(void **state)
{
    struct folder *f = *state;
    struct stream s;
    struct frame frames[64];

    make_stream(&s, many_lengths, 4);
    for (size_t i = 0; i < CONTAINER_COUNT; i++) {
        os_handle file = new_file(f, compressions[i]);
        struct tail tail = small_tail();
        struct input *in;
        uint8_t some[100];
        size_t got;

        write_archive(file, containers[i], &s, &tail, frames, ONE_WRITE_AN_ENTRY);
        check_done(input_open(again(file), INPUT_AS_IT_COMES, &in, &err));
        input_close(in);
        check_done(input_open(again(file), INPUT_AS_IT_COMES, &in, &err));
        check_done(input_read(in, some, sizeof some, &got, &err));
        check_done(input_rewind(in, &err));
        check_done(input_read(in, some, sizeof some, &got, &err));
        assert_memory_equal(some, s.bytes.data, sizeof some);
        input_close(in);
        os_close(file);
    }
    buffer_release(&s.bytes);
}

/* Nor while it waits for a pipe that keeps silent. */
static void test_close_a_silent_pipe(void **state)
{
    (void)state;
    uint8_t *zeros = calloc(1, PIPE_BYTES);
    struct input *in;
    int ends[2];

    assert_non_null(zeros);
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        if (write(ends[1], zeros, PIPE_BYTES) < 0)
            _exit(1);
        pause();
    }
    close(ends[1]);
    check_done(input_open(ends[0], INPUT_AS_IT_COMES, &in, &err));
    input_close(in);
    kill(child, SIGKILL);
    end_children();
    free(zeros);
}

/* ---- Writing that fails ---- */

static void test_full_disk(void **state)
{
    (void)state;
    uint8_t *noise = malloc(1 << 20);
    assert_non_null(noise);
    random_state = 42;
    for (size_t i = 0; i < 1 << 20; i++)
        noise[i] = (uint8_t)(next_random() >> 32);
    for (size_t i = 0; i < CONTAINER_COUNT; i++) {
        struct output_options options = {.container = containers[i]};
        struct tail tail = small_tail();
        struct output *o;
        int full = open("/dev/full", O_WRONLY | O_CLOEXEC), result = 0;
        assert_true(full >= 0);

        check_done(output_new(full, &options, &o, &err));
        for (int k = 0; k < 30 && result == 0; k++)
            result = output_write(o, noise, 1 << 20, &err);
        assert_int_equal(result, -1);
        assert_true(os_error_is_full(&err));
        error_release(&err);
        assert_int_equal(output_write(o, noise, 100, &err), -1);
        error_release(&err);
        assert_int_equal(output_finish(o, &tail, &err), -1);
        error_release(&err);
        output_free(o);

        check_done(output_new(full, &options, &o, &err));
        check_done(output_write(o, noise, 100, &err));
        assert_int_equal(output_finish(o, &tail, &err), -1);
        assert_true(os_error_is_full(&err));
        error_release(&err);
        output_free(o);
        close(full);
    }
    free(noise);
}

static void test_unfinished(void **state)
{
    struct folder *f = *state;
    struct output_options options = {.container = CONTAINER_ZSTD};
    os_handle file = new_file(f, "unfinished");
    struct output *o;

    check_done(output_new(file, &options, &o, &err));
    check_done(output_write(o, "abc", 3, &err));
    output_free(o);
    os_close(file);
}

static void test_levels(void **state)
{
    (void)state;
    struct output_options options = {
        .container = CONTAINER_GZIP, .level = 12, .level_is_set = true};
    struct output *o;

    check_kind(output_new(os_stdout(), &options, &o, &err), ERROR_USAGE);
    options.container = CONTAINER_ZSTD;
    options.level = 23;
    check_kind(output_new(os_stdout(), &options, &o, &err), ERROR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round_trips, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(test_pipes, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(test_same_bytes, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(test_long_tails, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(test_cuts, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(test_changed_content, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(test_flips, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(test_bytes_behind, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(test_bytes_behind_the_stream, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(test_kinds, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(test_close_early, folder_setup, folder_teardown),
        cmocka_unit_test(test_close_a_silent_pipe),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test_setup_teardown(test_unfinished, folder_setup, folder_teardown),
        cmocka_unit_test(test_levels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
