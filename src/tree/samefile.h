/*
 * samefile.h: a wrapper that completes the further names of an archive. There, what a file is
 * stands at its first name alone; here each further name gets the same size, target, device numbers
 * and metadata, as it has them on a disk. For list and scan. Memory: what was told of each file
 * with several names.
 */
#ifndef HOLDFAST_TREE_SAMEFILE_H
#define HOLDFAST_TREE_SAMEFILE_H

#include "tree/source.h"

/* Wraps `inner`, which belongs to the wrapper from then on (on failure it stays the caller's). */
MUST_CHECK int samefile_new(struct source *inner, struct source **out, struct error *err);

#endif
