/*
 * remap_source.h: a wrapper that gives links other targets by rules OLD=NEW (link/remap.h). Paths,
 * metadata and all that is no link pass as they are; a link changes only if a rule says so.
 *
 * It stands above filter and name groups, so that all names of one link get the same target.
 */
#ifndef HOLDFAST_TREE_REMAP_SOURCE_H
#define HOLDFAST_TREE_REMAP_SOURCE_H

#include "link/remap.h"
#include "tree/source.h"

/* May a link become one of the other system? */
enum remap_across {
    REMAP_ACROSS, /* yes: with C:\=/mnt/c a junction becomes a symbolic link of POSIX, and the other
                     way round a symbolic link of Windows */
    REMAP_WITHIN, /* no: that is REMAP_IMPOSSIBLE */
};

/* What is at the other end of a link. */
enum remap_far_end { REMAP_FAR_UNKNOWN, REMAP_FAR_FILE, REMAP_FAR_FOLDER };

/* Told of each entry that passes. */
struct remap_listener {
    /* `old` as it came, `now` as it passes: the same unless `result` is MAPPED. `result` is NULL
     * for what has no target. All is borrowed; -1 ends the stream. */
    int (*pass)(struct remap_listener *l, const struct entry *old, const struct entry *now,
                const struct remap_result *result, struct error *err);
    /* Asked before that what a link of POSIX leads to that becomes one of Windows, for its flavour:
     * by its old target, of POSIX, and its new one. NULL, and where it is not known: a file. */
    enum remap_far_end (*far_end)(struct remap_listener *l, struct bytes old, struct bytes now);
};

struct remap_options {
    const struct remap *rules; /* borrowed until the close */
    enum remap_across across;
    struct remap_listener *listener; /* borrowed; or NULL */
};

/* Wraps `inner`, which belongs to the wrapper from then on (on failure it stays the caller's). */
MUST_CHECK int remap_source_new(struct source *inner, const struct remap_options *options,
                                struct source **out, struct error *err);

#endif
