/*
 * namegroup.h: a wrapper that finds name groups (hard links) in the stream of a disk: the first
 * name seen of a file passes as it is, each further one gets `first_name`. DESIGN 5: keyed by
 * identity; a table only of files with a link count over 1; a group leaves the table when its last
 * name was seen (if the count is true); a first name is held as folder node and name, not as a
 * path: at most 64 bytes a group plus its name.
 */
#ifndef HOLDFAST_TREE_NAMEGROUP_H
#define HOLDFAST_TREE_NAMEGROUP_H

#include "tree/source.h"

struct namegroup_options {
    bool count_is_hint; /* link counts are too high on this file system: never conclude that all
                           names were seen */
};

/* What the groups of a finished stream were. */
struct namegroup_counts {
    uint64_t groups;         /* files with two or more names seen */
    uint64_t names;          /* their names */
    uint64_t saved_bytes;    /* sizes of the further names of files */
    uint64_t partial_groups; /* files of which names lie outside the stream (only where the count is
                                true) */
    uint64_t outside_names;  /* how many such names */
};

/* Wraps `inner`, which belongs to the wrapper from then on (on failure it stays the caller's). */
MUST_CHECK int namegroup_new(struct source *inner, struct namegroup_options options,
                             struct source **out, struct error *err);

/* Counts so far; complete after the end of the stream. */
struct namegroup_counts namegroup_counts(const struct source *s);

#endif
