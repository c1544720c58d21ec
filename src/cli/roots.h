/*
 * roots.h: the sources of a backup as roots of an archive: their stored names, one a place, none
 * twice (DESIGN 6).
 */
#ifndef HOLDFAST_CLI_ROOTS_H
#define HOLDFAST_CLI_ROOTS_H

#include "cli/options.h"
#include "disk/layout.h"
#include "tree/watcher.h"

struct root_list {
    struct named_root *items;
    struct disk_root *roots; /* what the layout points to */
    size_t count;
};

/* What the user named. */
struct root_request {
    const char *const *sources;
    size_t source_count;
    const struct text_list *as; /* --as */
    bool one_file_system;       /* a source is not entered from another one's file system */
};

/* Makes roots of the sources. --as names them in order: a name, or a path whose last component is
 * the name and which is told as the root's place. A source that is not there is told to the watcher
 * and left out; if all are missing it is ERROR_USAGE. A source inside another is stored under the
 * outer one alone. */
MUST_CHECK int root_list_make(struct root_list *l, const struct root_request *request,
                              struct watcher *watcher, struct error *err);
void root_list_release(struct root_list *l);
/* The layout for the walk, borrowed from the list. */
struct disk_layout root_list_layout(const struct root_list *l);

#endif
