#include "archive/aside.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 65536 };

void aside_init(struct aside *a, os_handle folder)
{
    *a = (struct aside){.folder = folder, .file = OS_NO_HANDLE};
}

void aside_release(struct aside *a)
{
    if (a->file != OS_NO_HANDLE)
        os_close(a->file);
    buffer_release(&a->memory);
    aside_init(a, OS_NO_HANDLE);
}

void aside_content_release(struct aside_content *c)
{
    free(c->extents);
    *c = (struct aside_content){0};
}

/* ---- Keeping ---- */

/* A file without a name; where there is none, one that loses its name at once. */
static int make_file(struct aside *a, struct error *err)
{
    struct error none = {0};
    uint64_t random;
    char name[48];

    if (os_create_unnamed(a->folder, 0600, &a->file, &none) == 0)
        return 0;
    if (none.kind != ERROR_UNSUPPORTED) {
        error_move(err, &none);
        return -1;
    }
    error_release(&none);
    if (os_random(&random, sizeof random, err) != 0)
        return -1;
    (void)snprintf(name, sizeof name, ".holdfast-%016" PRIx64 ".aside", random);
    if (os_create_file(a->folder, name, 0600, &a->file, err) != 0)
        return -1;
    return os_remove(a->folder, name, err);
}

static int aside_write(struct aside *a, const void *bytes, size_t count, struct error *err)
{
    if (a->folder == OS_NO_HANDLE) {
        if (buffer_append(&a->memory, bytes, count, err) != 0)
            return -1;
    } else {
        if (a->file == OS_NO_HANDLE && make_file(a, err) != 0)
            return -1;
        if (os_write(a->file, bytes, count, err) != 0)
            return -1;
    }
    a->bytes += count;
    return 0;
}

static int copy_extent(struct aside *a, struct data *data, struct extent x, uint8_t *block,
                       struct error *err)
{
    while (x.length != 0) {
        size_t wanted = x.length < BLOCK_BYTES ? (size_t)x.length : BLOCK_BYTES, got = 0;

        if (data_read(data, x.offset, (struct data_span){block, wanted}, &got, err) != 0)
            return -1;
        if (got == 0)
            return error_set(err, ERROR_FORMAT, "read archive", "cut short inside a file");
        if (aside_write(a, block, got, err) != 0)
            return -1;
        x.offset += got;
        x.length -= got;
    }
    return 0;
}

int aside_keep(struct aside *a, struct data *data, struct aside_content *out, struct error *err)
{
    uint8_t *block = malloc(BLOCK_BYTES);
    struct extent *extents = malloc((data->extent_count + 1) * sizeof *extents);
    uint64_t stored_offset = a->bytes;
    int result = block != NULL && extents != NULL ? 0 : error_memory(err);

    for (size_t i = 0; result == 0 && i < data->extent_count; i++) {
        extents[i] = data->extents[i];
        result = copy_extent(a, data, extents[i], block, err);
    }
    free(block);
    if (result != 0) {
        free(extents);
        return -1;
    }
    *out = (struct aside_content){data->size, stored_offset, extents, data->extent_count};
    return 0;
}

/* ---- Giving back ---- */

struct kept_data {
    struct data data;
    const struct aside *aside;
    size_t extent;   /* the first that may end behind the place of the next read */
    uint64_t offset; /* of the last read */
    uint64_t stored_first, stored_offset; /* of the first extent, of `extent` */
};

static int take(const struct kept_data *d, struct os_range range, uint8_t *bytes, struct error *err)
{
    size_t got = 0;

    if (d->aside->folder == OS_NO_HANDLE) {
        memcpy(bytes, d->aside->memory.data + range.offset, range.bytes);
        return 0;
    }
    if (os_read_at(d->aside->file, range, bytes, &got, err) != 0)
        return -1;
    return got == range.bytes
               ? 0
               : error_set(err, ERROR_OS, "read", "what was kept aside is cut short");
}

/* Puts the extent that counts for `offset` in place: reads that ascend pass each extent once. */
static void find_extent(struct kept_data *d, uint64_t offset)
{
    if (offset < d->offset) {
        d->extent = 0;
        d->stored_offset = d->stored_first;
    }
    d->offset = offset;
    while (d->extent < d->data.extent_count) {
        const struct extent *x = &d->data.extents[d->extent];

        if (x->offset + x->length > offset)
            return;
        d->stored_offset += x->length;
        d->extent++;
    }
}

static int kept_read(struct data *data, uint64_t offset, struct data_span span, size_t *got,
                     struct error *err)
{
    struct kept_data *d = (struct kept_data *)data;
    uint64_t left = offset < data->size ? data->size - offset : 0;
    uint64_t end = offset + (left < span.capacity ? left : span.capacity);
    uint8_t *out = span.bytes;

    *got = (size_t)(end - offset);
    memset(out, 0, *got);
    find_extent(d, offset);
    uint64_t stored = d->stored_offset;

    for (size_t i = d->extent; i < data->extent_count && data->extents[i].offset < end; i++) {
        const struct extent *x = &data->extents[i];
        uint64_t from = x->offset > offset ? x->offset : offset;
        uint64_t to = x->offset + x->length < end ? x->offset + x->length : end;
        struct os_range range = {stored + (from - x->offset), (size_t)(to - from)};

        if (take(d, range, out + (from - offset), err) != 0)
            return -1;
        stored += x->length;
    }
    return 0;
}

static void kept_close(struct data *data)
{
    free(data);
}

static const struct data_ops kept_ops = {.read = kept_read, .close = kept_close};

int aside_open(const struct aside *a, const struct aside_content *content, struct data **out,
               struct error *err)
{
    struct kept_data *d = calloc(1, sizeof *d);

    if (d == NULL)
        return error_memory(err);
    d->data = (struct data){.ops = &kept_ops,
                            .size = content->size,
                            .extents = content->extents,
                            .extent_count = content->extent_count,
                            .os_handle = -1};
    d->aside = a;
    d->stored_first = d->stored_offset = content->stored_offset;
    *out = &d->data;
    return 0;
}
