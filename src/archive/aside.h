/*
 * aside.h: contents of an archive that passed by and may be needed later, in a nameless file or in
 * memory.
 */
#ifndef HOLDFAST_ARCHIVE_ASIDE_H
#define HOLDFAST_ARCHIVE_ASIDE_H

#include "os/os.h"
#include "tree/source.h"

struct aside {
    os_handle folder;     /* where the file is made, borrowed; OS_NO_HANDLE: memory */
    os_handle file;       /* OS_NO_HANDLE until there is something to keep */
    struct buffer memory; /* what is kept where there is no folder */
    uint64_t bytes;       /* kept so far */
};

/* One content. A zeroed struct is an empty one. */
struct aside_content {
    uint64_t size;          /* logical bytes */
    uint64_t stored_offset; /* of the first extent's bytes */
    struct extent *extents; /* owned */
    size_t extent_count;
};

void aside_init(struct aside *a, os_handle folder);
void aside_release(struct aside *a);

/* Keeps a content, which is read to its end. */
MUST_CHECK int aside_keep(struct aside *a, struct data *data, struct aside_content *out,
                          struct error *err);
/* Opens a content that was kept; both must outlive the data. */
MUST_CHECK int aside_open(const struct aside *a, const struct aside_content *content,
                          struct data **out, struct error *err);
void aside_content_release(struct aside_content *c);

#endif
