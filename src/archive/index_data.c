#include "archive/index_data.h"

#include <stdlib.h>
#include <string.h>

struct index_data {
    struct data data;
    struct frames *frames;
    uint64_t stored; /* where the bytes of the extent `at` begin in the tar stream */
    size_t at;       /* the extent that was read last: reads go on from there, as a rule */
    uint64_t data_offset;
    struct extent extents[];
};

/* Goes to the first extent that ends behind the offset; there may be none. */
static void seek(struct index_data *d, uint64_t offset)
{
    if (d->at == d->data.extent_count ||
        (d->at != 0 && offset < d->extents[d->at - 1].offset + d->extents[d->at - 1].length)) {
        d->at = 0;
        d->stored = d->data_offset;
    }
    while (d->at < d->data.extent_count &&
           offset >= d->extents[d->at].offset + d->extents[d->at].length) {
        d->stored += d->extents[d->at].length;
        d->at++;
    }
}

/* Reads a run that is all hole or all data: its length, or 0 on failure. */
static size_t read_run(struct index_data *d, uint64_t offset, uint8_t *to, size_t count,
                       struct error *err)
{
    seek(d, offset);
    bool ends = d->at == d->data.extent_count;
    uint64_t begin = ends ? UINT64_MAX : d->extents[d->at].offset;

    if (offset < begin) {
        if (begin - offset < count)
            count = (size_t)(begin - offset);
        memset(to, 0, count);
        return count;
    }
    uint64_t left = begin + d->extents[d->at].length - offset;

    if (left < count)
        count = (size_t)left;
    if (frames_read(d->frames, d->stored + (offset - begin), to, count, err))
        return 0;
    return count;
}

static int index_data_read(struct data *data, uint64_t offset, struct data_span span, size_t *got,
                           struct error *err)
{
    struct index_data *d = (struct index_data *)data;
    uint8_t *to = span.bytes;
    size_t left = span.capacity;

    if (offset >= data->size)
        left = 0;
    else if (left > data->size - offset)
        left = (size_t)(data->size - offset);
    *got = left;
    while (left != 0) {
        size_t count = read_run(d, offset, to, left, err);

        if (count == 0)
            return -1;
        to += count;
        offset += count;
        left -= count;
    }
    return 0;
}

static void index_data_close(struct data *data)
{
    free(data);
}

static const struct data_ops index_data_ops = {.read = index_data_read, .close = index_data_close};

int index_data_open(struct frames *frames, uint64_t size, const struct index_place *place,
                    struct data **out, struct error *err)
{
    struct index_data *d = malloc(sizeof *d + place->extent_count * sizeof *d->extents);

    if (!d)
        return error_memory(err);
    if (place->extent_count != 0)
        memcpy(d->extents, place->extents, place->extent_count * sizeof *d->extents);
    d->data = (struct data){.ops = &index_data_ops,
                            .size = size,
                            .extents = d->extents,
                            .extent_count = place->extent_count,
                            .os_handle = -1};
    d->frames = frames;
    d->at = 0;
    d->stored = d->data_offset = place->data_offset;
    *out = &d->data;
    return 0;
}
