/*
 * told.h: a watcher that keeps what it is told as text.
 */
#ifndef SUPPORT_TOLD_H
#define SUPPORT_TOLD_H

#include "tree/watcher.h"

struct told {
    struct watcher watcher;
    struct buffer text;
    uint64_t entries, bytes; /* progress */
    bool stop;               /* the user wants to stop */
};

void told_init(struct told *t);
void told_release(struct told *t);

/* What was told since the last check: "error path: reason; loss path: reason (cause); remark path:
 * reason". Entries (-v) are not among it. */
#define check_told(t, wanted) check_told_at((t), (wanted), __FILE__, __LINE__)
void check_told_at(struct told *t, const char *wanted, const char *file, int line);

#endif
