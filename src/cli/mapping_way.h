/*
 * mapping_way.h: whether a link's target is there, asked of the disk, where the tree's own entries
 * do not say it. Part of mapping.h.
 */
#ifndef HOLDFAST_CLI_MAPPING_WAY_H
#define HOLDFAST_CLI_MAPPING_WAY_H

#include "link/drives.h"
#include "tree/inventory.h"

/* A root, where it stands, and where it stood; the texts are owned by the mapping. */
struct mapping_root {
    char *name, *place;
    char *old;         /* "" if that is not known */
    uint64_t dangling; /* links that lead there, and nothing is there now */
};

struct mapping_way {
    const struct mapping_root *roots;
    size_t root_count;
    struct bytes base; /* where the others stand; or empty */
    const struct drives *drives;
};

/* 1 if the target leads to `folder` (an absolute path) or below it by its words, and nothing is
 * there now; 0 if not, or if nobody knows; -1. */
MUST_CHECK int mapping_way_is_lost(const struct mapping_way *way, const struct entry *e,
                                   struct bytes folder, struct error *err);

/* Looks where a link leads that the tree alone does not answer (*state is what that says), and
 * corrects the state. The links on the way are those that are on the disk now. */
MUST_CHECK int mapping_way_ask(const struct mapping_way *way, const struct inventory_link *link,
                               enum target_state *state, struct error *err);

#endif
