/*
 * anchor.h: a folder that the user named and below which a run writes: opened (and made) by its
 * path once, then held. It carries the lock that keeps a second run out (SAFETY R15) and the marker
 * that names the run until its final sync (DESIGN 7). Private to the transfer.
 */
#ifndef HOLDFAST_DISK_ANCHOR_H
#define HOLDFAST_DISK_ANCHOR_H

#include "os/os.h"
#include "tree/entry.h"

enum {
    ANCHOR_ID_DIGITS = 16,  /* of a run's id, hexadecimal */
    ANCHOR_NAME_BYTES = 64, /* room for any name that a run makes up */
};

struct anchor {
    char *path;       /* owned; opened as it is, its last component followed */
    const char *root; /* borrowed: the path that stands for this folder itself: a top-level name, or
                         that of a link which is used as a folder (redirects.c); NULL: names of the
                         tree are looked up in it */
    bool is_redirect; /* the latter */
    char *leaf; /* owned: the root is a single file of that name in this folder; NULL otherwise */
    os_handle folder;      /* OS_NO_HANDLE while closed */
    uint64_t device, file; /* its identity, once open */
    bool created;          /* made by this run */
    bool on_ntfs;          /* its volume has NTFS' links and metadata; filled in by the run */
    bool locked;
    bool marked;        /* this run's marker stands in it */
    uint32_t had_flags; /* file flags that were taken off the folder for the marker's sake; come
                           back with anchor_unmark */
    bool user_marker;   /* a file of the user has the marker's name: it stays */
    char marker[ANCHOR_NAME_BYTES]; /* name of the marker: this run's, or the one that a dead run
                                       left; "" if none */
    struct buffer dead;             /* ids of the runs that died here, ANCHOR_ID_DIGITS each */
    struct timestamp dead_since;    /* when the first of them began to write; holds if dead.size */
};

enum anchor_use {
    ANCHOR_LOOK,  /* a dry run: nothing is made, no lock; a missing folder stays closed */
    ANCHOR_CHECK, /* opened and locked if it is there */
    ANCHOR_MAKE,  /* made with its parents (as the user's umask has it) if it is missing, opened,
                     locked */
};

/* Copies `path`; `root` is borrowed. Nothing is opened. */
MUST_CHECK int anchor_init(struct anchor *a, const char *path, const char *root, struct error *err);
/* Makes it the anchor of a root that is a single file: `path` names the file; its folder becomes
 * the anchor's. Before it is opened. */
MUST_CHECK int anchor_set_leaf(struct anchor *a, const char *path, struct error *err);
/* Closes (which unlocks) and frees. */
void anchor_release(struct anchor *a);
/* Opens it and reads what a dead run left. ERROR_REFUSED if another run holds the lock. Nothing to
 * do if it is open. */
MUST_CHECK int anchor_open(struct anchor *a, enum anchor_use use, struct error *err);
/* The same for a folder that is open already, and the anchor's from then on. */
MUST_CHECK int anchor_take_over(struct anchor *a, os_handle folder, enum anchor_use use,
                                struct error *err);
/* Facts on the volume that it is on, or will be on once it is made. */
MUST_CHECK int anchor_volume(const struct anchor *a, struct os_volume *out, struct error *err);
/* How a marker is written. */
struct anchor_marking {
    const char *id;   /* of the run */
    bool sync;        /* now */
    bool clear_flags; /* an immutable folder is made to take it */
};
/* Writes the marker of a run, keeping the ids of the dead. The folder's times stay. */
MUST_CHECK int anchor_mark(struct anchor *a, const struct anchor_marking *how, struct error *err);
/* Makes way for an entry of that name in the anchor's folder: if it is the marker's usual name,
 * this run's marker takes (or will take) another one. */
MUST_CHECK int anchor_yield(struct anchor *a, struct bytes name, const char *id, struct error *err);
/* Removes the marker, this run's or a dead one's, and syncs the folder. The folder's times stay. */
MUST_CHECK int anchor_unmark(struct anchor *a, bool sync, struct error *err);
/* True if the name is a temporary one of a run that died here. */
bool anchor_is_leftover(const struct anchor *a, struct bytes name);

#endif
