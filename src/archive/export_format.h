/*
 * export_format.h: the formats that `backup --format` writes for people who need them, what each
 * can hold, and what of an entry it cannot. Pure: no library, no archive.
 */
#ifndef HOLDFAST_ARCHIVE_EXPORT_FORMAT_H
#define HOLDFAST_ARCHIVE_EXPORT_FORMAT_H

#include "tree/watcher.h"

enum export_format { EXPORT_ZIP, EXPORT_7Z, EXPORT_CPIO };

/* What a format can hold, as measured with the readers that people have (docs/architecture.md). */
struct export_facts {
    const char *name;       /* "zip", ...: the suffix and the word for --format */
    uint32_t kinds;         /* a bit for each enum entry_kind */
    bool owners;            /* numbers of owner and group */
    bool hard_links;        /* names of one file */
    bool set_id_bits;       /* readers do not drop the setuid and setgid bits */
    bool unicode_names;     /* names are Unicode, and are read as such */
    int highest_level;      /* of compression, from 1; 0: it is not compressed */
    int64_t earliest;       /* times, in seconds since 1970 */
    int64_t latest;         /* the last that fits */
    uint32_t time_grain_ns; /* times are cut to this */
    uint64_t largest_file;  /* bytes */
    size_t longest_path;    /* bytes, a folder's with a slash at the end */
    const char *remark;     /* what no archive of the format holds, in a sentence */
};

/* Borrowed for good. */
const struct export_facts *export_facts(enum export_format format);

/* True if a file that begins with these bytes, EXPORT_HEAD_BYTES or all that it has, is an archive
 * of the format. */
enum { EXPORT_HEAD_BYTES = 6 };
bool export_recognises(enum export_format format, struct bytes head);

/* Why an entry has no place in the format at all, as a loss's reason (static text); NULL if it has
 * one. */
const char *export_no_place(const struct export_facts *f, const struct entry *e);

/* The time that is stored for an entry's: the nearest one that the format holds. */
struct timestamp export_time(const struct export_facts *f, struct timestamp time);

/* Tells all that a stored entry loses of its metadata, each a loss. The entry is loaded
 * (source_load). Returns how many. */
unsigned export_tell_losses(const struct export_facts *f, const struct entry *e,
                            struct watcher *watcher);

#endif
