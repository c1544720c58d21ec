/*
 * export.h: writes a source as an archive of another format, for people who need one: the engine of
 * `holdfast backup --format zip|7z|cpio`.
 *
 * What such an archive cannot hold is told, entry by entry, as a loss; what it cannot hold at all
 * is left out and told. Names of one file become copies where the format has no hard links. What
 * cannot be read, and files that change, as in a backup (backup.h).
 */
#ifndef HOLDFAST_ARCHIVE_EXPORT_H
#define HOLDFAST_ARCHIVE_EXPORT_H

#include "archive/backup.h"
#include "archive/foreign_write.h"

struct export
{
    os_handle archive; /* where the archive goes, borrowed; OS_NO_HANDLE: open all, read no contents
                          and write nothing (a dry run) */
    struct foreign_write_options output;
    struct watcher *watcher;
    struct backup_counts counts; /* filled in by export_run, of what is in the archive: a copy is a
                                    file of its own */
};

/* Runs to the end of the source (borrowed), whose further names carry first_name (namegroup.h) and
 * whose contents can be opened at each name. 0: the archive is complete, single entries' troubles
 * went to the watcher; -1: what was written is not an archive. */
MUST_CHECK int export_run(struct export *x, struct source *source, struct error *err);

#endif
