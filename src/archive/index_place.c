/*
 * index_place.c: where an entry of the index stands in the tar stream, of index.h.
 */
#include <stdlib.h>

#include "archive/index.h"
#include "archive/tar.h"

static uint64_t padded(uint64_t bytes)
{
    return (bytes + TAR_BLOCK_BYTES - 1) / TAR_BLOCK_BYTES * TAR_BLOCK_BYTES;
}

bool index_item_is_in_stream(const struct index_item *item)
{
    return item->base == 0 && (!item->is_further || item->data_offset != item->header_offset);
}

uint64_t index_item_stored(const struct index_item *item)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < item->extent_count; i++)
        bytes += item->extents[i].length;
    return bytes;
}

uint64_t index_item_end(const struct index_item *item)
{
    return item->data_offset + padded(index_item_stored(item));
}

void index_memory_release(struct index_memory *m)
{
    buffer_release(&m->path);
    pairs_release(&m->xattrs);
    free(m->extents);
    *m = (struct index_memory){.extents = NULL};
}
