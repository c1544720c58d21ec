/*
 * show_diff.h: a diff of two lists as one line of text, for tests that say what they expect in
 * words.
 */
#ifndef HOLDFAST_TESTS_SHOW_DIFF_H
#define HOLDFAST_TESTS_SHOW_DIFF_H

#include "support/list_source.h"
#include "tree/diff.h"

/* Writes what differs as "path word... fields; path ..." into `out`, closes both lists. Words:
 * missing extra kind data unknown target device joined(path) split(path) unreadable; fields: m
 * mode, o owner, g group, t mtime, f flags, x xattrs, A ACL. */
void show_diff(struct list_source *want, struct list_source *have,
               const struct diff_options *options, char *out);

#endif
