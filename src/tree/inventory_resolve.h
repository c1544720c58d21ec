/*
 * inventory_resolve.h: where the symlinks of an archive lead, found out within the archive's own
 * entries. Private to inventory.c.
 *
 * Every path is kept as a hash with its kind, so this is for trees that have no disk to ask.
 */
#ifndef HOLDFAST_TREE_INVENTORY_RESOLVE_H
#define HOLDFAST_TREE_INVENTORY_RESOLVE_H

#include "base/table.h"
#include "tree/inventory.h"

struct inventory_paths {
    struct table table;
};

void inventory_paths_init(struct inventory_paths *p);
void inventory_paths_release(struct inventory_paths *p);

/* Notes an entry; `link` is the index of a symlink in the list that inventory_resolve gets. */
MUST_CHECK int inventory_paths_add(struct inventory_paths *p, const struct entry *e, size_t link,
                                   struct error *err);

/* What is needed to follow a link through others. */
struct inventory_maze {
    const struct inventory_paths *paths;
    const struct inventory_link *links;
    const struct source_facts *facts;
    const struct drives *drives; /* or NULL: where targets of Windows lead is not known */
};

/* Where the link leads: by its words, and through links of the tree on the way, up to 40. An
 * absolute target leads inside by the name of a root's absolute path only. */
MUST_CHECK int inventory_resolve(const struct inventory_maze *maze,
                                 const struct inventory_link *link, enum target_state *state,
                                 struct error *err);

#endif
