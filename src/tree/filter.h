/*
 * filter.h: a wrapper that leaves entries out: patterns in order (the first that matches decides,
 * as rsync does it), folder marks, and chosen paths. A folder that is left out is not descended
 * into. A pattern with a slash in its beginning or middle is anchored at a root, one without
 * matches the last component at any depth; a trailing slash matches folders only; * and ? do not
 * match a slash, ** does. [..] classes and backslash escapes as in fnmatch(3). Bytes, not
 * characters.
 */
#ifndef HOLDFAST_TREE_FILTER_H
#define HOLDFAST_TREE_FILTER_H

#include "tree/source.h"

enum filter_verdict { FILTER_EXCLUDE, FILTER_INCLUDE };

struct filter_rule {
    enum filter_verdict verdict;
    const char *pattern; /* NUL-terminated, borrowed */
};

/* Asked for each folder before its content: is it marked to be left out? 1: its content is left out
 * and the folder alone stays, 0 not, -1. Comes from disk/ (CACHEDIR.TAG, --exclude-if-present,
 * nodump flag); tree/ does no I/O. */
struct filter_probe {
    int (*probe)(struct filter_probe *p, struct source *inner, const struct entry *e,
                 struct error *err);
};

struct filter_options {
    const struct filter_rule *rules;
    size_t rule_count;
    struct filter_probe *probe; /* borrowed; or NULL */
    const struct bytes *paths;  /* chosen paths: only these, what lies below, and the folders on the
                                   way to them  (marked as passages) pass; none = all. Borrowed, as
                                   the rules are, until the close */
    size_t path_count;
};

/* True if the pattern matches the path, whose first component is its root's name; a root itself
 * never matches. The pure part, for tests and for the plan. */
bool filter_match(const char *pattern, struct bytes path, bool is_folder);

/* True if the rules leave a path out by itself (not: a folder that it lies in). */
bool filter_excludes(const struct filter_options *options, struct bytes path, bool is_folder);

/* Wraps `inner`, which belongs to the wrapper from then on (on failure it stays the caller's). */
MUST_CHECK int filter_new(struct source *inner, const struct filter_options *options,
                          struct source **out, struct error *err);

/* Which of the chosen paths nothing matched: the index of the next such path from `from` on, or
 * path_count. */
size_t filter_unmatched(const struct source *s, size_t from);

#endif
