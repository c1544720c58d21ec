/*
 * data.c: the content of a file on a disk: its ranges with data, reads at any place, and whether it
 * changed since.
 */
#include "disk/data.h"

#include <stdlib.h>

#include "disk/walk.h"

enum {
    EXTENTS_MAX = 1 << 20,   /* 16 MiB of them; what follows counts as data */
    SMALL_BYTES = 64 * 1024, /* beyond it, asking for holes costs nothing beside the reading */
};

struct disk_data {
    struct data data;
    struct extent *extents; /* data.extents */
    struct extent whole;    /* of a file without holes */
};

static int disk_read(struct data *d, uint64_t offset, struct data_span span, size_t *got,
                     struct error *err)
{
    return os_read_at(d->os_handle, (struct os_range){offset, span.capacity}, span.bytes, got, err);
}

static int disk_changed(struct data *d, struct error *err)
{
    struct os_stat now;

    if (os_stat_handle(d->os_handle, &now, err))
        return -1;
    return now.size != d->size || timestamp_compare(now.mtime, d->mtime) != 0 ||
           timestamp_compare(now.ctime, d->ctime) != 0;
}

static void disk_close(struct data *d)
{
    struct disk_data *own = (struct disk_data *)d;

    os_close(d->os_handle);
    free(own->extents);
    free(own);
}

/* Appends a range of data; ranges that touch become one. */
static int add_extent(struct disk_data *d, size_t *capacity, struct extent e, struct error *err)
{
    struct extent *last = d->data.extent_count ? &d->extents[d->data.extent_count - 1] : NULL;

    if (last && last->offset + last->length == e.offset) {
        last->length += e.length;
        return 0;
    }
    if (d->data.extent_count == *capacity) {
        size_t wanted = *capacity ? *capacity * 2 : 8;
        struct extent *larger = realloc(d->extents, wanted * sizeof *larger);
        if (!larger)
            return error_memory(err);
        d->extents = larger;
        *capacity = wanted;
    }
    d->extents[d->data.extent_count++] = e;
    return 0;
}

static int find_extents(struct disk_data *d, os_handle file, struct error *err)
{
    uint64_t size = d->data.size;
    uint64_t at = 0;
    size_t capacity = 0;

    while (at < size) {
        uint64_t start, end;
        int got = os_next_data(file, at, &start, &end, err);
        if (got < 0)
            return -1;
        /* The file may have grown, or been cut, since its size was read. */
        if (!got || start >= size || end <= start)
            break;
        if (end > size || d->data.extent_count == EXTENTS_MAX - 1)
            end = size;
        if (add_extent(d, &capacity, (struct extent){start, end - start}, err))
            return -1;
        at = end;
    }
    d->data.extents = d->extents;
    return 0;
}

static bool may_have_holes(const struct os_stat *status, enum data_holes holes)
{
    return holes == DATA_HOLES_ALWAYS || status->size > SMALL_BYTES ||
           status->allocated < status->size;
}

/* What the file is by its status. */
static int fill(struct disk_data *d, os_handle file, const struct os_stat *status,
                enum data_holes holes, struct error *err)
{
    d->whole = (struct extent){0, status->size};
    d->data.size = status->size;
    d->data.has_times = true;
    d->data.mtime = status->mtime;
    d->data.ctime = status->ctime;
    d->data.extents = &d->whole;
    d->data.extent_count = status->size != 0;
    if (!may_have_holes(status, holes))
        return 0;
    d->data.extent_count = 0;
    return find_extents(d, file, err);
}

static int disk_refresh(struct data *d, struct error *err)
{
    struct disk_data *own = (struct disk_data *)d;
    struct disk_data now = {.data = *d};
    struct os_stat status;

    if (os_stat_handle(d->os_handle, &status, err) ||
        fill(&now, d->os_handle, &status, DATA_HOLES_ALWAYS, err)) {
        free(now.extents);
        return -1;
    }
    free(own->extents);
    *own = now;
    if (!own->extents)
        own->data.extents = &own->whole;
    return 0;
}

static const struct data_ops disk_data_ops = {
    .read = disk_read,
    .changed = disk_changed,
    .refresh = disk_refresh,
    .close = disk_close,
};

int disk_data_adopt(os_handle file, const struct os_stat *status, enum data_holes holes,
                    struct data **out, struct error *err)
{
    struct disk_data *d = calloc(1, sizeof *d);

    if (!d)
        return error_memory(err);
    d->data.ops = &disk_data_ops;
    if (fill(d, file, status, holes, err)) {
        free(d->extents);
        free(d);
        return -1;
    }
    d->data.os_handle = file;
    *out = &d->data;
    return 0;
}

int disk_data_open(os_handle folder, const char *name, struct data **out, struct error *err)
{
    struct os_stat status;
    os_handle file;

    if (os_open_file_stat(folder, name, &file, &status, err))
        return -1;
    if (!disk_data_adopt(file, &status, DATA_HOLES_ALWAYS, out, err))
        return 0;
    os_close(file);
    return -1;
}
