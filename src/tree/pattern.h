/*
 * pattern.h: shell patterns over bytes. `*` and `?` do not match a slash, `**` does, and between
 * slashes it matches any number of folders; [..] with ranges, ! or ^, and classes such as
 * [:alpha:]; a backslash takes the next byte as it is. No recursion and no exponential time.
 */
#ifndef HOLDFAST_TREE_PATTERN_H
#define HOLDFAST_TREE_PATTERN_H

#include <stdbool.h>

#include "base/buffer.h"

/* True if the pattern matches the whole text. */
bool pattern_match(struct bytes pattern, struct bytes text);

#endif
