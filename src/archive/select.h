/*
 * select.h: a filter for archives. In an archive the content of a file with several names stands at
 * its first name; when that name is left out and another is not, the first name that passes takes
 * its place, with its content and metadata. For that, contents of files with several names that are
 * left out are kept aside in a nameless file as they pass (they may be needed, and a pipe comes by
 * only once).
 */
#ifndef HOLDFAST_ARCHIVE_SELECT_H
#define HOLDFAST_ARCHIVE_SELECT_H

#include "os/os.h"
#include "tree/filter.h"

struct select_options {
    struct filter_options filter;
    bool contents;   /* contents will be asked for */
    os_handle spool; /* the folder that nameless files are made in, borrowed; OS_NO_HANDLE: contents
                        are kept in memory */
};

/* Wraps an archive's source, which belongs to the wrapper on success. */
MUST_CHECK int select_new(struct source *inner, const struct select_options *options,
                          struct source **out, struct error *err);

/* Which of the chosen paths nothing matched: the index of the next such path from `from` on, or
 * path_count. */
size_t select_unmatched(const struct source *s, size_t from);

#endif
