/*
 * unchanged.h: which contents of a source stand in an older archive of ours already, by its index,
 * which is read beside the source: both are in canonical order. A file whose name is not there, or
 * is another file's, is looked for by its number: it may have been renamed, or have got a name that
 * comes before those that it had.
 */
#ifndef HOLDFAST_ARCHIVE_UNCHANGED_H
#define HOLDFAST_ARCHIVE_UNCHANGED_H

#include "archive/index_source.h"

struct unchanged;

/* Opens the older archive; the path is borrowed until it is closed. ERROR_USAGE if it is none of
 * ours or has no sound index. */
MUST_CHECK int unchanged_open(const char *path, struct unchanged **out, struct error *err);
void unchanged_close(struct unchanged *u);

/* The archives that contents can stand in: the older one, and those that it has as bases itself.
 * Borrowed. */
struct unchanged_bases {
    const struct index_base *items;
    size_t count;
};
struct unchanged_bases unchanged_bases(const struct unchanged *u);

/* A content of the same size, under the same name or of a file with the same number. */
struct stored_content {
    uint64_t size;
    struct hash128 hash;
    bool is_same_file;        /* file number and time of modification are the same, too, and the
                                 file system, as far as files before it told */
    bool is_same_state;       /* and so are name and time of change: nobody touched it since */
    struct index_place place; /* `base` counts unchanged_bases from 1; extents are borrowed until
                                 the next call */
};

/* Looks for the content of a file: 1, 0, -1. Names must ascend from call to call. */
MUST_CHECK int unchanged_find(struct unchanged *u, const struct entry *e,
                              struct stored_content *out, struct error *err);

/* True if a content that was read and has that hash is the same, holes and all. */
bool unchanged_is_content(const struct stored_content *content, const struct data *data,
                          struct hash128 hash);

#endif
