/*
 * losses.h: the named inexactnesses of a backup, gathered for its tail.
 */
#ifndef HOLDFAST_ARCHIVE_LOSSES_H
#define HOLDFAST_ARCHIVE_LOSSES_H

#include "archive/tail.h"
#include "tree/watcher.h"

/* A zeroed struct is a valid empty list. */
struct losses {
    struct tail_loss *items; /* their bytes are pointed to by losses_point alone: they may move */
    size_t count, capacity;
    struct buffer bytes;
};

/* Adds copies of a path and a reason. */
MUST_CHECK int losses_add(struct losses *l, struct bytes path, const char *reason,
                          struct error *err);
/* Makes `items` ready to be read; to be called after the last losses_add. */
void losses_point(struct losses *l);
void losses_release(struct losses *l);

/* Tells which tag a reparse point that is no link has, or what is wrong with its buffer: it is kept
 * as it is, and that is no loss, but somebody may want to know. -1 is lack of memory. */
MUST_CHECK int losses_remark_reparse(struct watcher *w, const struct entry *e, struct error *err);

#endif
