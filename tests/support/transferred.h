/*
 * transferred.h: runs of the transfer into a test's folder, what they told, and what stands there
 * afterwards, by short paths below the folder.
 */
#ifndef SUPPORT_TRANSFERRED_H
#define SUPPORT_TRANSFERRED_H

#include "disk/transfer.h"
#include "support/folder.h"
#include "support/list_source.h"

struct transferred {
    struct watcher watcher;
    struct transfer transfer;
    struct disk_root root; /* "t" below the folder, until a test says otherwise */
    struct buffer
        told; /* a line each: "error t/a: why", "loss t/b: what", "create t/c", NUL-terminated */
    unsigned errors, losses;
    int stop_after; /* asked so often, the user wants to stop; negative: never */
};

/* Prepares a run into the folder; owners are left alone. */
void transferred_init(struct transferred *t, const struct folder *f);
void transferred_release(struct transferred *t);
/* Runs to the end of the list and closes it; the result of transfer_run. Forgets what was told
 * before. */
int transferred_run(struct transferred *t, struct list_source *want, struct error *err);
/* The same, and it succeeds, telling no error and no loss. */
void transferred_exactly(struct transferred *t, struct list_source *want);
/* True if a line that was told holds this text. */
bool transferred_told(const struct transferred *t, const char *text);

/* Status of what stands at a path below the folder, itself if it is a link; kind OS_KIND_UNKNOWN if
 * nothing does. */
struct os_stat standing(const struct folder *f, const char *path);
/* A file of that content stands there. */
void check_standing(const struct folder *f, const char *path, const char *content);
/* Two names are one file. */
bool same_file(const struct folder *f, const char *a, const char *b);
/* Nothing that a run makes for itself stands in the folder or below. */
void check_no_leftovers(const struct folder *f);
/* Makes a file, with its folders. */
void put_file(const struct folder *f, const char *path, const char *content);
/* Makes a folder, with those above it. */
void put_dir(const struct folder *f, const char *path);

#endif
