/*
 * open.h: any archive as a source: finds out what it is and picks the reader.
 */
#ifndef HOLDFAST_ARCHIVE_OPEN_H
#define HOLDFAST_ARCHIVE_OPEN_H

#include "archive/index_source.h"
#include "archive/reader.h"

struct opened_archive {
    struct source *source; /* the caller's */
    struct input *input;   /* part of the source, for progress and facts; or NULL */
    bool is_tar;           /* `source` is a reader (reader.h) */
    bool is_ours;
    bool is_incremental; /* some contents stand in other archives: only an index has all entries */
    bool is_indexed;     /* `source` is an index (index_source.h): there is no `input`, names of one
                            file have the same identity as on a disk, contents come in any order */
};

/* Opens the archive on `handle`, which belongs to the source; on failure it is closed. ERROR_FORMAT
 * if it is no archive at all. */
MUST_CHECK int open_any_archive(os_handle handle, const struct reader_options *options,
                                struct opened_archive *out, struct error *err);

/* The same, but an archive of ours that can be sought and has an index is opened by that. */
MUST_CHECK int open_indexed_archive(os_handle handle, const struct reader_options *options,
                                    enum index_trust trust, struct opened_archive *out,
                                    struct error *err);

/* The archive's tail: at once of an indexed one, else after the last entry; NULL if there is none.
 * Borrowed. */
const struct tail *opened_tail(const struct opened_archive *a);

/* True unless the file at `path` is surely none: what cannot be opened or is damaged may be one. */
bool may_be_archive(const char *path);

#endif
