/*
 * nearest.h: the folder that is there, on the way to a place that need not be.
 */
#ifndef HOLDFAST_DISK_NEAREST_H
#define HOLDFAST_DISK_NEAREST_H

#include "os/os.h"

/* Opens the longest beginning of a path that can be opened as a folder, following links; for a
 * relative path that is the current folder at the least. *bytes is how much of the path it is:
 * what is behind that is missing, or is no folder, or may not be entered. */
MUST_CHECK int nearest_open(const char *path, size_t *bytes, os_handle *out, struct error *err);

#endif
