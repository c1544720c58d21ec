/*
 * reader.h: a tar archive as a source. Of our own archives the stream is canonical and the facts
 * are known before the first entry; other tars come in their own order, names cleaned (`./`,
 * `//`, a trailing slash), with what they say of themselves.
 */
#ifndef HOLDFAST_ARCHIVE_READER_H
#define HOLDFAST_ARCHIVE_READER_H

#include "archive/input.h"
#include "tree/watcher.h"

struct reader_options {
    bool strip_absolute; /* names and hard-link targets that begin with '/' lose their slashes; else
                            they are yielded as they are, to be refused by name */
    bool salvage; /* damage is told to the watcher and ends the stream as if it were its end; what
                     was yielded before is sound, and a content that breaks off is an error of its
                     entry */
    struct watcher *watcher; /* told what is passed over; borrowed, never NULL */
};

/* Makes a source of an input of kind INPUT_TAR; the input belongs to the source on success. After
 * its last entry the source reads to the very end of the input: damage in the tail or trailing
 * bytes come as -1 from source_next then. */
MUST_CHECK int reader_open(struct input *in, const struct reader_options *options,
                           struct source **out, struct error *err);

/* True if the archive is one of ours. */
bool reader_is_ours(const struct source *s);

/* True if contents of the tree that it is of stand in other archives: what the source yields is not
 * all of it. */
bool reader_is_incremental(const struct source *s);

/* The options that the archive was made with ("name=value" lines), empty if not ours. Borrowed. */
struct bytes reader_archive_options(const struct source *s);

/* The tail that passed by, after the last entry; NULL if there is none. Borrowed. */
const struct tail *reader_tail(const struct source *s);

#endif
