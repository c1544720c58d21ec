/*
 * sharing.h: data that does not pass through this process. Private to the transfer.
 */
#ifndef HOLDFAST_DISK_TRANSFER_SHARING_H
#define HOLDFAST_DISK_TRANSFER_SHARING_H

#include "disk/transfer/apply.h"

/* True if a file of the position's folder is worth being cloned, as far as is known. */
bool sharing_may_clone(struct run *r, const struct entry *want, const struct data *d);
/* Gives a new, empty file all the content by sharing blocks: 1, 0 if that cannot be done, -1. */
MUST_CHECK int sharing_clone(struct run *r, const struct data *d, os_handle file,
                             struct error *err);

/* From a content to a new file, in any thread. */
struct sharing_way {
    const struct run *run;
    const struct data *from;
    os_handle to;
    bool works; /* false once the system could not */
};
/* Copies a range of the content: 1, 0 if the system cannot do it, and it has to be written, -1. */
MUST_CHECK int sharing_copy(struct sharing_way *way, struct os_range range, struct error *err);

#endif
