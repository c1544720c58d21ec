/*
 * walked.h: walks of a test's folder, and the things that stand in it, by short paths.
 */
#ifndef SUPPORT_WALKED_H
#define SUPPORT_WALKED_H

#include "disk/walk.h"
#include "support/folder.h"

/* Makes a folder, an empty file, a symlink. */
void walked_dir(const struct folder *f, const char *path);
void walked_file(const struct folder *f, const char *path);
void walked_link(const struct folder *f, const char *target, const char *path);

/* A walk of the test's folder as root "t". */
struct source *walked(const struct folder *f);
struct source *walked_with(const struct folder *f, struct walk_options options);

#endif
