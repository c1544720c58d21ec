/*
 * ahead.h: a source that a thread of its own reads ahead: entries come complete, so that walking
 * one folder and working in another take two cores.
 */
#ifndef HOLDFAST_DISK_AHEAD_H
#define HOLDFAST_DISK_AHEAD_H

#include "disk/walk.h"

/* Reads `inner` ahead, and finds what stands behind an entry (its content, what was not loaded) by
 * `finder`: a walk of the same roots, by the same options, that has nobody else. Both are taken
 * over on success. The source cannot find by path. A folder that is skipped may be read all the
 * same; what is in it does not come. */
MUST_CHECK int ahead_new(struct source *inner, struct source *finder, struct source **out,
                         struct error *err);

#endif
