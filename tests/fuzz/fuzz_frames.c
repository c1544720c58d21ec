/*
 * Any frame table over any stored bytes, whose checksums hold: reads give what was asked for or an
 * error, and the same again.
 */
#define _GNU_SOURCE /* memfd_create */
#include <assert.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>

#include "archive/frames.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST_FRAMES = 4, FRAME_FIELDS = 4, MOST_BYTES = 3000 };

/* A frame out of four numbers; its checksum is that of the bytes which it names, where they are. */
static struct frame make_frame(struct cursor *c, struct bytes stored)
{
    uint64_t fields[FRAME_FIELDS] = {0};

    for (size_t i = 0; i < FRAME_FIELDS; i++)
        (void)!cursor_varint(c, &fields[i], NULL);
    struct frame f = {.stored_offset = fields[0],
                      .stored_bytes = fields[1],
                      .raw_offset = fields[2],
                      .raw_bytes = fields[3]};

    if (f.stored_offset <= stored.size && f.stored_bytes <= stored.size - f.stored_offset)
        f.checksum = XXH3_64bits(stored.data + f.stored_offset, (size_t)f.stored_bytes);
    return f;
}

static void read_at(struct frames *f, uint64_t offset, size_t count)
{
    static uint8_t once[MOST_BYTES], again[MOST_BYTES];
    struct error err = {0};
    int result = frames_read(f, offset, once, count, &err);

    error_release(&err);
    int second = frames_read(f, offset, again, count, &err);

    error_release(&err);
    assert(result == second);
    assert(result || memcmp(once, again, count) == 0);
    second = frames_read_unproved(f, offset, again, count, &err);
    error_release(&err);
    assert(result || (second == 0 && memcmp(once, again, count) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct frame table[MOST_FRAMES];
    struct tail tail = {.frames = table};
    struct cursor c = {data, size};
    struct frames *f;
    const uint8_t *head;
    struct bytes first;

    if (cursor_take(&c, 2, &first, NULL))
        return 0;
    head = first.data;
    tail.container = (enum container)(head[0] % 3);
    tail.frame_count = head[1] % (MOST_FRAMES + 1);
    /* The stored bytes are the whole input, so that the table can be behind them or among them. */
    for (size_t i = 0; i < tail.frame_count; i++)
        table[i] = make_frame(&c, bytes_make(data, size));
    static int file = -1; /* the same one each time: making one takes longer than the rest */

    if (file < 0)
        file = memfd_create("frames", MFD_CLOEXEC);
    assert(ftruncate(file, 0) == 0 && pwrite(file, data, size, 0) == (ssize_t)size);
    if (frames_new(file, &tail, &f, NULL) == 0) {
        for (size_t i = 0; i < tail.frame_count; i++) {
            read_at(f, table[i].raw_offset, 1);
            read_at(f, table[i].raw_offset, (size_t)(table[i].raw_bytes % MOST_BYTES));
            read_at(f, table[i].raw_offset + table[i].raw_bytes / 2, MOST_BYTES);
        }
        frames_free(f);
    }
    return 0;
}
