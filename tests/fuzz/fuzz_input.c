/*
 * The bytes of any file as an archive: from a file and from a pipe the same comes out, for salvage
 * the begin of that, and nothing hangs, leaks or grows without bound.
 */
#define _GNU_SOURCE /* memfd_create */
#include <assert.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "archive/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What fits a pipe at once, and how much of the output is looked at. */
enum { MOST_BYTES = 60000, MOST_OUTPUT_BYTES = 8 << 20 };

struct outcome {
    int opened, drained;
    enum input_kind kind;
    uint8_t *room; /* what came out, as far as it is looked at */
    size_t bytes;
};

enum { STEP_BYTES = 100000 };

static void read_stream(struct input *in, struct outcome *out, struct error *err)
{
    const struct tail *tail;
    uint64_t trailing;
    size_t got = STEP_BYTES;

    while (got == STEP_BYTES && out->bytes < MOST_OUTPUT_BYTES) {
        if (input_read(in, out->room + out->bytes, STEP_BYTES, &got, err)) {
            out->drained = -1;
            return;
        }
        out->bytes += got;
    }
    if (got == STEP_BYTES)
        return;
    out->drained = input_drain(in, &trailing, err);
    error_release(err);
    if (out->drained == 0 && input_tail(in, &tail, err) == 1)
        assert(tail->frame_count == 0 || tail->frames);
}

/* Reads it all into the room, which holds a step more than is looked at. */
static struct outcome read_handle(os_handle handle, enum input_trust trust, uint8_t *room)
{
    struct outcome out = {.room = room};
    struct error err = {0};
    struct input *in;

    out.opened = input_open(handle, trust, &in, &err);
    if (out.opened == 0) {
        out.kind = input_kind(in);
        assert(*input_compression(in) != 0);
        read_stream(in, &out, &err);
        input_close(in);
    } else {
        os_close(handle);
    }
    error_release(&err);
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t rooms[2][MOST_OUTPUT_BYTES + STEP_BYTES];
    int ends[2], file = memfd_create("archive", MFD_CLOEXEC);

    if (size > MOST_BYTES)
        size = MOST_BYTES;
    assert(file >= 0 && pipe(ends) == 0);
    assert(write(file, data, size) == (ssize_t)size);
    assert(write(ends[1], data, size) == (ssize_t)size);
    close(ends[1]);
    int again = fcntl(file, F_DUPFD_CLOEXEC, 0);

    assert(again >= 0);
    struct outcome one = read_handle(file, INPUT_AS_IT_COMES, rooms[0]);
    struct outcome other = read_handle(ends[0], INPUT_AS_IT_COMES, rooms[1]);

    assert(one.opened == other.opened && one.kind == other.kind && one.bytes == other.bytes);
    assert(memcmp(one.room, other.room, one.bytes) == 0);
    other = read_handle(again, INPUT_WHOLE_FRAMES, rooms[1]);
    assert(other.bytes <= one.bytes && memcmp(one.room, other.room, other.bytes) == 0);
    if (one.opened == 0 && one.drained == 0)
        assert(other.opened == 0 && other.kind == one.kind && other.bytes == one.bytes);
    return 0;
}
