/*
 * foreign.h: the one adapter to libarchive, reading (foreign_write.h writes): every other format
 * (zip, 7z, cpio, iso9660, ar, ...) as a source. Entries come in the archive's order with names
 * cleaned (`./`, `//`); missing parent folders are not made up here. Strict: any ARCHIVE_WARN or
 * RETRY is an entry's problem or an error, never passed over (SAFETY R8).
 */
#ifndef HOLDFAST_ARCHIVE_FOREIGN_H
#define HOLDFAST_ARCHIVE_FOREIGN_H

#include "archive/input.h"
#include "tree/watcher.h"

/* Makes a source of an input of kind INPUT_FOREIGN; the input belongs to the source on success.
 * ERROR_FORMAT "not an archive" if libarchive does not know it, either. */
MUST_CHECK int foreign_open(struct input *in, struct watcher *watcher, struct source **out,
                            struct error *err);

/* The bytes of another compression (xz, bzip2, lz4, ...): libarchive's filters over a stream that
 * `read` gives, with format "raw". For input_filter.c. No filter that starts another program is
 * used. */
struct foreign_filter;
struct foreign_filter_input {
    int (*read)(struct foreign_filter_input *in, void *bytes, size_t capacity, size_t *got,
                struct error *err);
};
/* 1, 0 if no filter applies to the bytes, -1. `in` is borrowed. */
MUST_CHECK int foreign_filter_open(struct foreign_filter_input *in, struct foreign_filter **out,
                                   struct error *err);
/* *got is short only at the end, and says also on failure how many bytes are good. Bytes behind the
 * compressed data are ERROR_FORMAT. */
MUST_CHECK int foreign_filter_read(struct foreign_filter *f, void *bytes, size_t capacity,
                                   size_t *got, struct error *err);
/* "xz", "bzip2", ...; several as "rpm+gzip". */
const char *foreign_filter_name(const struct foreign_filter *f);
void foreign_filter_close(struct foreign_filter *f);

#endif
