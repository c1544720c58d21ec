/*
 * layout.c: see layout.h.
 */
#include "disk/layout.h"

#include "base/buffer.h"

const struct disk_root *layout_find(const struct disk_layout *l, const void *name,
                                    size_t name_bytes)
{
    size_t low = 0, high = l->root_count;
    struct bytes wanted = bytes_make(name, name_bytes);

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = bytes_compare(wanted, bytes_of(l->roots[middle].name));
        if (!order)
            return &l->roots[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}
