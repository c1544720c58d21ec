/*
 * backup.h: writes a source as an archive of ours: the engine of `holdfast backup`.
 *
 * Each entry becomes one tar member; what could not be read is told to the watcher and kept in the
 * archive's tail. A file that changes while it is read is read again if it is small, else cut or
 * padded to the announced size; either way it is named (SAFETY R9, R10).
 */
#ifndef HOLDFAST_ARCHIVE_BACKUP_H
#define HOLDFAST_ARCHIVE_BACKUP_H

#include "archive/output.h"
#include "archive/unchanged.h"
#include "tree/watcher.h"

struct backup_counts {
    uint64_t entries;                /* members written */
    uint64_t kinds[ENTRY_KINDS];     /* of each enum entry_kind; further names are not among them */
    uint64_t further_names;          /* hard links written */
    uint64_t file_bytes;             /* logical bytes of the files, each file once */
    uint64_t base_files, base_bytes; /* of these, files whose content is in the base */
    uint64_t raw_bytes, stored_bytes; /* of the tar stream, of the archive */
    uint64_t problems;                /* losses and errors told */
};

struct backup {
    os_handle archive; /* where the archive goes, borrowed; OS_NO_HANDLE: open all, read no contents
                          and write nothing (a dry run) */
    struct output_options output;
    const char
        *spool; /* a folder for the nameless file that a large index grows in; NULL: memory */
    struct unchanged *base; /* what older archives have need not be stored again; borrowed, or NULL
                               for a full archive */
    const char *program;    /* "holdfast 0.1.0" */
    struct bytes options;   /* the filters and options used, one "name=value" a line, for the
                               archive's own memory */
    struct watcher *watcher;
    struct backup_counts counts; /* filled in by backup_run */
};

/* Runs to the end of the source (borrowed), whose further names carry first_name (namegroup.h). 0:
 * the archive is complete, single entries' troubles went to the watcher; -1: what was written is
 * not an archive. */
MUST_CHECK int backup_run(struct backup *b, struct source *source, struct error *err);

#endif
