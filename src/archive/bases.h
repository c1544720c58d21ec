/*
 * bases.h: the archives that contents of an incremental archive stand in: found by their names and
 * recognised by their identity (index.h), so that a wrong one is never read.
 */
#ifndef HOLDFAST_ARCHIVE_BASES_H
#define HOLDFAST_ARCHIVE_BASES_H

#include "archive/frames.h"
#include "archive/index_source.h"
#include "tree/watcher.h"

struct bases;

/* Where bases may be: beside the archive, under their own names, and then at each of the paths. */
struct bases_places {
    const char *archive;      /* path of the incremental archive */
    const char *const *paths; /* of archives, under any name */
    size_t path_count;
};

/* Opens the bases of a head (borrowed for the call) that hold any content. 1: all are there; 0:
 * each that is not, or whose name another archive has, was told to the watcher as an error of its
 * file name, and *out has the others; -1: without memory. */
MUST_CHECK int bases_open(const struct index_head *head, const struct bases_places *places,
                          struct watcher *watcher, struct bases **out, struct error *err);
/* NULL is accepted. */
void bases_close(struct bases *b);

/* Random access to the contents of base `n` of the head, counted from 0; NULL if it was not opened.
 * Borrowed. */
struct frames *bases_frames(const struct bases *b, size_t n);

#endif
