/*
 * pathnode.h: paths kept in little memory. A path is a chain of nodes, one a component, and paths
 * that are kept while their folder is the current one share its nodes. Made for the first names of
 * name groups, which come in the order of the tree.
 */
#ifndef HOLDFAST_TREE_PATHNODE_H
#define HOLDFAST_TREE_PATHNODE_H

#include "base/buffer.h"

/* The last component of a path, which holds its folder's node. Counted: it lives while somebody
 * holds it. */
struct pathnode;

/* The nodes of the path that was kept last, by depth. A zeroed struct is valid and empty. */
struct pathtree {
    struct pathnode **levels;
    size_t depth;    /* nodes in use */
    size_t capacity; /* nodes that fit */
};

/* Forgets the current path; nodes that others hold stay. */
void pathtree_release(struct pathtree *t);

/* A node of that path, which the caller holds from then on: pathnode_drop. The empty path is the
 * node NULL. */
MUST_CHECK int pathtree_hold(struct pathtree *t, struct bytes path, struct pathnode **out,
                             struct error *err);

/* One more holder of the same node. */
struct pathnode *pathnode_share(struct pathnode *n);

/* One holder less. NULL is accepted. */
void pathnode_drop(struct pathnode *n);

/* Appends the whole path. NULL appends nothing. */
MUST_CHECK int pathnode_append(const struct pathnode *n, struct buffer *out, struct error *err);

#endif
