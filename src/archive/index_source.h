/*
 * index_source.h: an archive of ours, by its index, as a source that behaves like a walk of a disk:
 * ordered and not sequential; every name opens its content, wherever it stands in the archive;
 * names of one file have the same identity and no first_name, so that filter.h and then namegroup.h
 * stand on top of it as they do on a walk. Nothing of the tar stream is read but the frames of the
 * contents that are opened; of the index no blocks that a skipped folder fills.
 */
#ifndef HOLDFAST_ARCHIVE_INDEX_SOURCE_H
#define HOLDFAST_ARCHIVE_INDEX_SOURCE_H

#include "archive/tail.h"
#include "os/os.h"

/* When the index's blocks are compared with their checksums: each as it is read, so that some of
 * them need not be read at all; or all of them before the source is opened, so that damage in the
 * middle is met before the first entry. */
enum index_trust { INDEX_CHECKED_AS_READ, INDEX_CHECKED_FIRST };

/* Opens the archive on `handle`, which belongs to the source when 1 is returned: 0 if it has no
 * index that can be used (not one of ours, a pipe, compressed anew, damaged): then read the stream.
 */
MUST_CHECK int index_source_open(os_handle handle, enum index_trust trust, struct source **out,
                                 struct error *err);

/* What the index says of the entry that came last and a walk would not: where it was, and where its
 * content is. */
struct index_origin {
    struct identity
        identity; /* on the disk that was read: `volume` is an ordinal; zero: not known */
    bool has_ctime;
    struct timestamp ctime;
    bool is_inexact;
    bool is_further_name;
    bool in_stream;           /* the tar stream has a member of it */
    struct index_place place; /* of a further name: its file's. Extents are borrowed until the next
                                 source_next */
};
void index_source_origin(const struct source *s, struct index_origin *out);

/* One entry by its number, apart from the stream, whose place stays: *out is borrowed until the
 * next call. Cheap for numbers that ascend; else at the price of a block. Not while folders are
 * skipped.
 */
struct index_item;
MUST_CHECK int index_source_item(struct source *s, uint64_t number, const struct index_item **out,
                                 struct error *err);

/* The archives that contents of this one stand in. */
struct bases;
/* Gives the source its bases, which it closes; without, their contents cannot be opened. */
void index_source_set_bases(struct source *s, struct bases *bases);
/* Random access to its own contents. Borrowed. */
struct frames *index_source_frames(const struct source *s);

/* The archive's tail. Borrowed until the source is closed. */
const struct tail *index_source_tail(const struct source *s);

#endif
