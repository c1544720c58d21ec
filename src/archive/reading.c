#include "archive/reading.h"

#include <stdlib.h>
#include <string.h>

/* What a disk loses at once at least: a sector of today. */
enum { SALVAGE_BYTES = 4096, HASH_BLOCK_BYTES = 1 << 18 };

void reading_release(struct reading *r)
{
    error_release(&r->trouble);
}

const char *reading_loss(const struct reading *r, enum reading_way way)
{
    static const char *const changed[] = {
        [READING_SMALL] = "changed while it was read: this is its last state seen",
        [READING_LARGE] = "changed while it was read: cut or padded to the size it had",
    };

    if (r->failed)
        return "parts of it could not be read: zeros stand there";
    return r->whole ? NULL : changed[way];
}

/* Fills the span as far as it goes, the rest with zeros. False if that is because of an error. */
static bool read_piece(struct reading *r, struct data *data, uint64_t offset, struct data_span span)
{
    struct error trouble = {0};
    size_t have = 0, got = 1;
    int result = 0;

    while (result == 0 && have < span.capacity && got != 0) {
        struct data_span rest = {(uint8_t *)span.bytes + have, span.capacity - have};

        got = 0;
        result = data_read(data, offset + have, rest, &got, &trouble);
        have += result == 0 ? got : 0;
    }
    if (have < span.capacity) {
        memset((uint8_t *)span.bytes + have, 0, span.capacity - have);
        r->whole = false;
    }
    r->any = r->any || have != 0;
    if (result != 0 && !r->failed)
        error_move(&r->trouble, &trouble);
    r->failed = r->failed || result != 0;
    error_release(&trouble);
    return result == 0;
}

void reading_block(struct reading *r, struct data *data, uint64_t offset, struct data_span span)
{
    if (read_piece(r, data, offset, span) || span.capacity <= SALVAGE_BYTES)
        return;
    for (size_t at = 0; at < span.capacity; at += SALVAGE_BYTES) {
        size_t left = span.capacity - at;
        struct data_span piece = {(uint8_t *)span.bytes + at,
                                  left < SALVAGE_BYTES ? left : SALVAGE_BYTES};

        (void)read_piece(r, data, offset + at, piece);
    }
}

void reading_finish(struct reading *r, struct data *data)
{
    int changed;

    if (r->failed)
        return;
    changed = data_changed(data, &r->trouble);
    r->failed = changed < 0;
    r->whole = r->whole && changed == 0;
}

int reading_hash(struct reading *r, struct data *data, struct data_hasher *hasher,
                 struct watcher *watcher, struct error *err)
{
    uint8_t *block = malloc(HASH_BLOCK_BYTES);
    int result = 0;

    if (block == NULL)
        return error_memory(err);
    data_hasher_begin(hasher, data->size);
    for (size_t i = 0; result == 0 && i < data->extent_count; i++) {
        struct extent x = data->extents[i];

        while (result == 0 && x.length != 0) {
            size_t count = x.length < HASH_BLOCK_BYTES ? (size_t)x.length : HASH_BLOCK_BYTES;

            if (watcher->stopped(watcher))
                result = error_set(err, ERROR_INTERRUPTED, "backup", "stopped");
            reading_block(r, data, x.offset, (struct data_span){block, count});
            data_hasher_add(hasher, x.offset, bytes_make(block, count));
            x.offset += count;
            x.length -= count;
        }
    }
    free(block);
    reading_finish(r, data);
    return result;
}

static int read_extents(struct reading *r, struct data *data, struct buffer *out, struct error *err)
{
    buffer_clear(out);
    for (size_t i = 0; i < data->extent_count; i++) {
        size_t length = (size_t)data->extents[i].length;

        if (buffer_reserve(out, length, err) != 0)
            return -1;
        reading_block(r, data, data->extents[i].offset,
                      (struct data_span){out->data + out->size, length});
        out->size += length;
    }
    reading_finish(r, data);
    return 0;
}

int reading_small(struct reading *r, struct data *data, struct buffer *out, struct error *err)
{
    for (int tries = 1;; tries++) {
        reading_release(r);
        *r = (struct reading){.whole = true};
        if (read_extents(r, data, out, err) != 0)
            return -1;
        if (r->failed || r->whole || tries == READING_TRIES)
            return 0;
        if (data_refresh(data, NULL) != 0)
            return 0; /* what was read stands */
        if (data->size > READING_SMALL_BYTES)
            return 1;
    }
}
