/*
 * layout.h: where the top-level names of a tree stand on the disk. Shared by the walk (which reads
 * there) and apply (which writes there).
 */
#ifndef HOLDFAST_DISK_LAYOUT_H
#define HOLDFAST_DISK_LAYOUT_H

#include <stddef.h>

/* One top-level name. */
struct disk_root {
    const char *name;      /* first component of entry paths */
    const char *place;     /* what the user named: opened as it is, its last component followed; or
                              NULL: `name` below the layout's base, never followed */
    const char *told_path; /* the absolute path that facts tell instead of the real one (a
                              snapshot's or shadow copy's origin), or NULL */
};

/* Borrowed strings all. */
struct disk_layout {
    const char *base; /* folder that holds the roots without a place; NULL if each has one */
    const struct disk_root *roots; /* in bytewise order of name */
    size_t root_count;
};

/* The root of that name, or NULL. */
const struct disk_root *layout_find(const struct disk_layout *l, const void *name,
                                    size_t name_bytes);

#endif
