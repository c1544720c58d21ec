/*
 * first_names.h: which entry a first name is, by its path, until all names of its file were seen:
 * what a further name needs to be numbered. 24 bytes a file.
 */
#ifndef HOLDFAST_ARCHIVE_FIRST_NAMES_H
#define HOLDFAST_ARCHIVE_FIRST_NAMES_H

#include "base/table.h"
#include "tree/entry.h"

struct first_names {
    struct table table;
};

void first_names_init(struct first_names *f);
void first_names_release(struct first_names *f);

/* Adds a first name that is `shared`, entry `number` of the archive; its link count (0: not known)
 * says when it can be forgotten. */
MUST_CHECK int first_names_add(struct first_names *f, const struct entry *e, uint64_t number,
                               struct error *err);
/* Finds the first name of a further one, and counts that: 1 and *number, 0 if there is none. */
int first_names_take(struct first_names *f, const struct entry *e, uint64_t *number);

#endif
