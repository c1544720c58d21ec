/*
 * bases.h: the archives that contents of an incremental archive stand in: found by their names and
 * recognised by their identity (index.h), so that a wrong one is never read.
 */
#ifndef HOLDFAST_ARCHIVE_BASES_H
#define HOLDFAST_ARCHIVE_BASES_H

#include "archive/frames.h"
#include "archive/index_source.h"

struct bases;

/* Where bases may be: beside the archive, under their own names, and then at each of the paths. */
struct bases_places {
    const char *archive;      /* path of the incremental archive */
    const char *const *paths; /* of archives, under any name */
    size_t path_count;
};

/* Opens all bases of a head that hold any content; ERROR_USAGE names the first that is not there,
 * or is another archive than the one that was used. The head is borrowed for the call. */
MUST_CHECK int bases_open(const struct index_head *head, const struct bases_places *places,
                          struct bases **out, struct error *err);
/* NULL is accepted. */
void bases_close(struct bases *b);

/* Random access to the contents of base `n` of the head, counted from 0; NULL if it was not opened.
 * Borrowed. */
struct frames *bases_frames(const struct bases *b, size_t n);

#endif
