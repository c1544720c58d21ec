/*
 * remove.h: a path that the user named, taken away with all below it: what `holdfast remove` does.
 * Its last component is never followed, with slashes behind it or without.
 */
#ifndef HOLDFAST_DISK_REMOVE_H
#define HOLDFAST_DISK_REMOVE_H

#include "disk/removal.h"

/* A path on its way. Owned. */
struct remove_place {
    struct buffer parent, name; /* NUL-terminated */
    os_handle folder;
};

/* Finds the folder that holds the last component; nothing is changed. What cannot be meant (`/`,
 * `.`, `..`, nothing) is ERROR_USAGE, what is not there an error that os_error_is_missing knows. */
MUST_CHECK int remove_find(struct remove_place *p, const char *path, struct error *err);
void remove_release(struct remove_place *p);
/* Removes what stands there, or looks; `task` says how, and has its folder, name and identity
 * filled in. As removal_run; or -1 with an error if what stands there cannot be looked at. */
MUST_CHECK int remove_run(const struct remove_place *p, struct removal *task, struct error *err);

#endif
