/*
 * The bytes of any file as an archive: from a file and from a pipe the same comes out, and nothing
 * hangs, leaks or grows without bound.
 */
#define _GNU_SOURCE /* memfd_create */
#include <assert.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>

#include "archive/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What fits a pipe at once, and how much of the output is looked at. */
enum { MOST_BYTES = 60000, MOST_OUTPUT_BYTES = 8 << 20 };

struct outcome {
    int opened, drained;
    enum input_kind kind;
    uint64_t bytes, hash;
};

static void read_stream(struct input *in, struct outcome *out, struct error *err)
{
    static uint8_t room[100000];
    const struct tail *tail;
    uint64_t trailing;
    size_t got = sizeof room;

    while (got == sizeof room && out->bytes < MOST_OUTPUT_BYTES) {
        if (input_read(in, room, sizeof room, &got, err)) {
            out->drained = -1;
            return;
        }
        out->hash = XXH3_64bits_withSeed(room, got, out->hash);
        out->bytes += got;
    }
    if (got == sizeof room)
        return;
    out->drained = input_drain(in, &trailing, err);
    error_release(err);
    if (out->drained == 0 && input_tail(in, &tail, err) == 1)
        assert(tail->frame_count == 0 || tail->frames);
}

static struct outcome read_handle(os_handle handle)
{
    struct outcome out = {0};
    struct error err = {0};
    struct input *in;

    out.opened = input_open(handle, INPUT_AS_IT_COMES, &in, &err);
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
    int ends[2], file = memfd_create("archive", MFD_CLOEXEC);

    if (size > MOST_BYTES)
        size = MOST_BYTES;
    assert(file >= 0 && pipe(ends) == 0);
    assert(write(file, data, size) == (ssize_t)size);
    assert(write(ends[1], data, size) == (ssize_t)size);
    close(ends[1]);
    struct outcome one = read_handle(file), other = read_handle(ends[0]);
    assert(one.opened == other.opened && one.kind == other.kind);
    assert(one.bytes == other.bytes && one.hash == other.hash);
    return 0;
}
