/*
 * store.h: a folder of snapshots: dated folders, each a whole copy of its time, and the symbolic
 * link `latest`, which leads to the newest. Held open and locked; each change goes by that handle
 * and one name. Only folders whose names are a snapshot's (tree/snapshots.h) are ever touched.
 */
#ifndef HOLDFAST_DISK_STORE_H
#define HOLDFAST_DISK_STORE_H

#include "disk/anchor.h"
#include "disk/removal.h"
#include "tree/snapshots.h"

struct store_item {
    int64_t seconds;
    enum snapshot_state state;
};

struct store {
    const char *path; /* borrowed */
    struct anchor anchor;
    struct store_item *items; /* by time, as the names sort; owned */
    size_t count;
};

enum store_use {
    STORE_LOOK,  /* a dry run: nothing is made, no lock; what is missing holds nothing */
    STORE_WRITE, /* made with its parents if it is missing, locked */
};

/* Opens it and finds its snapshots. ERROR_REFUSED if another run has it. */
MUST_CHECK int store_open(struct store *s, const char *path, enum store_use use, struct error *err);
/* Unlocks and frees; a zeroed one is accepted. */
void store_close(struct store *s);

/* The newest item in a state; NULL if there is none. Borrowed until the next change. */
const struct store_item *store_newest(const struct store *s, enum snapshot_state state);

/* Appends the path of an item, NUL-terminated. */
MUST_CHECK int store_append_path(const struct store *s, const struct store_item *item,
                                 struct buffer *out, struct error *err);

/* True if a run that was cut off left its marker in an item, as far as can be seen. */
bool store_has_marker(const struct store *s, const struct store_item *item);

/* Adds an item that this run is going to make, once. */
void store_add(struct store *s, const struct store_item *item);
/* Gives an item another name, and the list with it; nothing to do if it is the same. */
MUST_CHECK int store_rename(struct store *s, const struct store_item *from,
                            const struct store_item *to, struct error *err);
/* Writes the names of the store to the disk. */
MUST_CHECK int store_sync(const struct store *s, struct error *err);

/* What became of `latest`. */
enum store_latest {
    STORE_LATEST_LEADS,      /* it leads to the item */
    STORE_LATEST_IMPOSSIBLE, /* the file system has no symbolic links */
    STORE_LATEST_IN_THE_WAY, /* what has that name is no symbolic link, and stays */
};
/* Has `latest` lead to an item, at once: there is no moment without it. */
MUST_CHECK int store_set_latest(struct store *s, const struct store_item *item,
                                enum store_latest *out, struct error *err);

/* Removes an item, or looks; `task` says how, and has its folder, name and identity filled in. One
 * that was whole is no longer before the first name below it goes. -1: some of it stays, and
 * task->failed was told; or, with an error, it could not be touched. */
MUST_CHECK int store_remove(struct store *s, const struct store_item *item, struct removal *task,
                            struct error *err);

#endif
