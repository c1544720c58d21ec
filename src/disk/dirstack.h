/*
 * dirstack.h: the folders from a root down to where a walk or an apply is, as held handles. At most
 * a bounded count is open (SAFETY R14: 256 descriptors are enough at any depth): a folder that was
 * closed on the way down is reached again by `..` from its child and checked by identity.
 */
#ifndef HOLDFAST_DISK_DIRSTACK_H
#define HOLDFAST_DISK_DIRSTACK_H

#include "os/os.h"

struct dirstack_level {
    os_handle handle; /* OS_NO_HANDLE while closed */
    uint64_t device, file[2];
    bool is_counted; /* in open_count */
    bool is_kept;    /* stays open: the folder above it does not lead back to it */
};
struct dirstack {
    struct dirstack_level *levels;
    size_t depth, capacity;
    size_t open_count, open_limit; /* without those that are kept, once they would be closed */
};

enum { DIRSTACK_OPEN_LIMIT = 48 };

void dirstack_init(struct dirstack *s);
/* Closes all. */
void dirstack_release(struct dirstack *s);
/* Pushes an open folder, which belongs to the stack from then on (also on failure); its identity is
 * taken from `status`. */
MUST_CHECK int dirstack_push(struct dirstack *s, os_handle folder, const struct os_stat *status,
                             struct error *err);
/* The same for a folder that does not lie in the innermost one: that one stays open until the way
 * back. */
MUST_CHECK int dirstack_push_apart(struct dirstack *s, os_handle folder,
                                   const struct os_stat *status, struct error *err);
/* Leaves the innermost folder; its parent is opened again if it was closed: ERROR_CHANGED if what
 * `..` leads to is another folder (the tree was moved under our hands). The folder is left also on
 * failure; then dirstack_top is OS_NO_HANDLE, and pops fail until the next folder that is still
 * open. The outermost always is. */
MUST_CHECK int dirstack_pop(struct dirstack *s, struct error *err);
/* The innermost folder; OS_NO_HANDLE when empty. */
os_handle dirstack_top(const struct dirstack *s);

#endif
