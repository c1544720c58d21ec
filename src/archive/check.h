/*
 * check.h: proves an archive by itself: every byte is read, every checksum compared, every header
 * decoded, and the tail's counts and frames held against the stream.
 */
#ifndef HOLDFAST_ARCHIVE_CHECK_H
#define HOLDFAST_ARCHIVE_CHECK_H

#include "archive/bases.h"
#include "archive/open.h"

struct check_counts {
    uint64_t entries, bytes; /* members, logical bytes of files */
    uint64_t losses;         /* that the archive itself says it has */
    bool is_ours;
};

/* Reads the archive on `handle`, which it closes. Of an incremental one, whose path `places` tells
 * (NULL: it is a pipe, and cannot be checked), the contents in its bases are read, too; a base that
 * is not there is told to the watcher. 0: whole, as far as its format can say; -1:
 * damaged, and err says where. Entries that cannot be kept, the archive's own losses and, where the
 * archive can be sought, each damaged frame go to the watcher. */
MUST_CHECK int check_archive(os_handle handle, const struct bases_places *places,
                             struct watcher *watcher, struct check_counts *counts,
                             struct error *err);

#endif
