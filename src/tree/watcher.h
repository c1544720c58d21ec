/*
 * watcher.h: how the library talks to whoever runs it: losses, errors and progress go up through
 * this interface as values; nobody below cli/ prints. It also carries the user's wish to stop.
 */
#ifndef HOLDFAST_TREE_WATCHER_H
#define HOLDFAST_TREE_WATCHER_H

#include <stdbool.h>
#include <stdint.h>

#include "tree/entry.h"

enum notice_kind {
    NOTICE_ERROR,  /* an entry could not be read or written: `problem` says why; exit 1 */
    NOTICE_LOSS,   /* something was not stored or recreated exactly: `reason` says what; exit 1 */
    NOTICE_REMARK, /* worth a line, not inexact */
    NOTICE_ENTRY,  /* an entry went into an archive (-v) */
    NOTICE_CHANGE, /* a change was made or, in a dry run, would be: `reason` is the action:
                      "create", "replace", "link", "metadata", "delete" */
};

/* One message. Everything is borrowed for the time of the call. */
struct notice {
    enum notice_kind kind;
    struct bytes path;           /* the entry; empty if it concerns the whole run */
    const char *reason;          /* equal reasons are grouped by their text */
    const struct error *problem; /* the cause, or NULL */
    struct bytes other;          /* a second path (the first name of a group), or empty */
    const struct entry *entry;   /* for NOTICE_ENTRY and NOTICE_CHANGE; may be NULL */
};

struct watcher {
    void (*notice)(struct watcher *w, const struct notice *n);
    /* Entries and bytes done since the last call, and where the run is. Cheap to call for every
     * entry. */
    void (*progress)(struct watcher *w, uint64_t entries, uint64_t bytes, struct bytes path);
    /* True once the user wants to stop: the run tidies up and returns ERROR_INTERRUPTED. Called
     * from any thread. */
    bool (*stopped)(struct watcher *w);
};

/* Shorthands; `w` is never NULL. */
void watcher_error(struct watcher *w, struct bytes path, const struct error *problem);
void watcher_loss(struct watcher *w, struct bytes path, const char *reason,
                  const struct error *cause);
void watcher_entry(struct watcher *w, const struct entry *e);
void watcher_remark(struct watcher *w, struct bytes path, const char *reason);

#endif
