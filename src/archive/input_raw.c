/*
 * input_raw.c: see input_raw.h.
 */
#include "archive/input_raw.h"

#include <string.h>

enum { AHEAD_BYTES = 128 << 10 };

int input_raw_init(struct input_raw *raw, os_handle handle, struct error *err)
{
    struct os_stat status;

    memset(raw, 0, sizeof *raw);
    if (os_stat_handle(handle, &status, err))
        return -1;
    raw->handle = handle;
    raw->can_seek = status.kind == OS_FILE;
    raw->file_bytes = raw->can_seek ? status.size : 0;
    return 0;
}

void input_raw_release(struct input_raw *raw)
{
    buffer_release(&raw->ahead);
    buffer_release(&raw->kept);
}

/* Fills `bytes` from a pipe, as long as somebody wants them. */
static int read_pipe(struct input_raw *raw, uint8_t *bytes, size_t capacity, size_t *got,
                     struct error *err)
{
    size_t part = 1;

    while (*got < capacity && part != 0) {
        int result = os_read_some(raw->handle, bytes + *got, capacity - *got, &part, err);
        if (result < 0)
            return -1;
        if (result == 0 && (raw->is_stopped || os_stop_requested() != 0))
            return error_set(err, ERROR_INTERRUPTED, "read archive", "stopped");
        if (result == 0)
            part = 1;
        else
            *got += part;
    }
    return 0;
}

static int read_handle(struct input_raw *raw, void *bytes, size_t capacity, size_t *got,
                       struct error *err)
{
    struct os_range range = {raw->offset, capacity};

    *got = 0;
    if (raw->at_end)
        return 0;
    int result = raw->can_seek ? os_read_at(raw->handle, range, bytes, got, err)
                               : read_pipe(raw, bytes, capacity, got, err);
    if (result)
        return -1;
    raw->offset += *got;
    raw->at_end = *got < capacity;
    return 0;
}

int input_raw_peek(struct input_raw *raw, size_t want, struct bytes *out, struct error *err)
{
    size_t available = raw->ahead.size - raw->start;

    if (available < want && !raw->at_end) {
        size_t room = want > AHEAD_BYTES ? want : AHEAD_BYTES;
        size_t got;
        if (available != 0 && raw->start != 0)
            memmove(raw->ahead.data, raw->ahead.data + raw->start, available);
        raw->ahead.size = available;
        raw->start = 0;
        if (buffer_reserve(&raw->ahead, room - available, err) ||
            read_handle(raw, raw->ahead.data + available, room - available, &got, err))
            return -1;
        raw->ahead.size += got;
    }
    *out = bytes_make(raw->ahead.data + raw->start, raw->ahead.size - raw->start);
    return 0;
}

int input_raw_take(struct input_raw *raw, size_t count, struct error *err)
{
    if (raw->is_keeping && buffer_append(&raw->kept, raw->ahead.data + raw->start, count, err))
        return -1;
    raw->start += count;
    raw->position += count;
    return 0;
}

int input_raw_read(struct input_raw *raw, void *bytes, size_t capacity, size_t *got,
                   struct error *err)
{
    size_t available = raw->ahead.size - raw->start;
    size_t part = available < capacity ? available : capacity, rest = 0;
    uint8_t *to = bytes;

    *got = 0;
    if (part != 0)
        memcpy(to, raw->ahead.data + raw->start, part);
    if (input_raw_take(raw, part, err))
        return -1;
    if (part < capacity) {
        if (read_handle(raw, to + part, capacity - part, &rest, err))
            return -1;
        if (raw->is_keeping && buffer_append(&raw->kept, to + part, rest, err))
            return -1;
        raw->position += rest;
    }
    *got = part + rest;
    return 0;
}

void input_raw_keep(struct input_raw *raw)
{
    raw->is_keeping = true;
    buffer_clear(&raw->kept);
}

int input_raw_restore(struct input_raw *raw, struct error *err)
{
    struct buffer old = raw->ahead;

    if (buffer_append(&raw->kept, old.data + raw->start, old.size - raw->start, err))
        return -1;
    raw->position -= raw->kept.size - (old.size - raw->start);
    raw->ahead = raw->kept;
    raw->start = 0;
    raw->kept = old;
    input_raw_forget(raw);
    return 0;
}

void input_raw_forget(struct input_raw *raw)
{
    raw->is_keeping = false;
    buffer_release(&raw->kept);
}

void input_raw_rewind(struct input_raw *raw)
{
    raw->offset = 0;
    raw->position = 0;
    raw->at_end = false;
    raw->start = 0;
    buffer_clear(&raw->ahead);
}
