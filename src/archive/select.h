/*
 * select.h: a filter for archives. In an archive the content of a file with several names stands at
 * its first name; when that name is left out and another is not, the first name that passes takes
 * its place, with its content and metadata. For that, contents of files with several names that are
 * left out are kept aside in a nameless file as they pass. Of an archive that can be opened anew
 * only those that will be needed are kept; of a pipe, which comes by only once, all.
 */
#ifndef HOLDFAST_ARCHIVE_SELECT_H
#define HOLDFAST_ARCHIVE_SELECT_H

#include "archive/open.h"
#include "tree/filter.h"

struct select_options {
    struct filter_options filter;
    bool contents;   /* contents will be asked for */
    os_handle spool; /* the folder that nameless files are made in, borrowed; OS_NO_HANDLE: contents
                        are kept in memory */
    const char *archive; /* the path by which the archive can be opened anew, borrowed; or NULL */
    struct reader_options reader; /* as it was opened; for `archive` */
};

/* Wraps an archive's source, which belongs to the wrapper on success. */
MUST_CHECK int select_new(struct source *inner, const struct select_options *options,
                          struct source **out, struct error *err);

/* Which of the chosen paths nothing matched: the index of the next such path from `from` on, or
 * path_count. */
size_t select_unmatched(const struct source *s, size_t from);

#endif
