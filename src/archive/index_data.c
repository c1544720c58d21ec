#include "archive/index_data.h"

#include <stdlib.h>
#include <string.h>

#include "tree/data_hash.h"

struct index_data {
    struct data data;
    struct frames *frames;
    uint64_t stored; /* where the bytes of the extent `at` begin in the tar stream */
    size_t at;       /* the extent that was read last: reads go on from there, as a rule */
    uint64_t data_offset;
    struct hash128 hash;        /* of the content, as the index has it */
    struct data_hasher *hasher; /* NULL: the index has none */
    uint64_t hashed, to_hash;   /* bytes of the extents, in their order */
    bool is_wrong;
    struct extent extents[];
};

static int wrong_content(struct error *err)
{
    return error_set(err, ERROR_FORMAT, "read archive",
                     "its content in the archive is damaged: it is another one than was backed up");
}

/* Compares the hashes once all was read. */
static int compare_hashes(struct index_data *d, struct error *err)
{
    if (d->hashed != d->to_hash)
        return 0;
    struct hash128 found = data_hasher_result(d->hasher);

    d->is_wrong = found.low != d->hash.low || found.high != d->hash.high;
    return d->is_wrong ? wrong_content(err) : 0;
}

/* Adds what was read to the hash, if it goes on where that ends; `at` counts bytes of the extents.
 */
static int prove(struct index_data *d, uint64_t at, uint64_t offset, struct bytes bytes,
                 struct error *err)
{
    if (!d->hasher || at != d->hashed)
        return 0;
    data_hasher_add(d->hasher, offset, bytes);
    d->hashed += bytes.size;
    return compare_hashes(d, err);
}

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
    uint64_t place = d->stored + (offset - begin);

    if (left < count)
        count = (size_t)left;
    bool is_proved = d->hasher && place - d->data_offset == d->hashed;

    if ((is_proved ? frames_read_unproved(d->frames, place, to, count, err)
                   : frames_read(d->frames, place, to, count, err)) ||
        prove(d, place - d->data_offset, offset, bytes_make(to, count), err))
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
    if (d->is_wrong)
        return wrong_content(err);
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
    struct index_data *d = (struct index_data *)data;

    data_hasher_free(d->hasher);
    free(d);
}

static const struct data_ops index_data_ops = {.read = index_data_read, .close = index_data_close};

/* Prepares the proof by the hash that the index has, if it has one. */
static int begin_proof(struct index_data *d, const struct entry *e, struct error *err)
{
    if (!e->has_data_hash)
        return 0;
    if (data_hasher_new_for(e->size, &d->hasher, err))
        return -1;
    data_hasher_begin(d->hasher, e->size);
    d->hash = e->data_hash;
    for (size_t i = 0; i < d->data.extent_count; i++)
        d->to_hash += d->extents[i].length;
    return compare_hashes(d, err); /* of one that is all hole */
}

int index_data_open(struct frames *frames, const struct entry *e, const struct index_place *place,
                    struct data **out, struct error *err)
{
    struct index_data *d = calloc(1, sizeof *d + place->extent_count * sizeof *d->extents);

    if (!d)
        return error_memory(err);
    if (place->extent_count != 0)
        memcpy(d->extents, place->extents, place->extent_count * sizeof *d->extents);
    d->data = (struct data){.ops = &index_data_ops,
                            .size = e->size,
                            .extents = d->extents,
                            .extent_count = place->extent_count,
                            .os_handle = -1};
    d->frames = frames;
    d->stored = d->data_offset = place->data_offset;
    if (begin_proof(d, e, err)) {
        index_data_close(&d->data);
        return -1;
    }
    *out = &d->data;
    return 0;
}
