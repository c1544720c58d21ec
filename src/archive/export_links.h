/*
 * export_links.h: files with several names in a format that has hard links (cpio). Readers want the
 * content at the last of a file's names in the archive, and nothing at the others. Which one is the
 * last is known when as many came as the file has; some may lie outside of what is stored. So one
 * name is held back. Memory: a record and a path for each such file, until all its names came.
 */
#ifndef HOLDFAST_ARCHIVE_EXPORT_LINKS_H
#define HOLDFAST_ARCHIVE_EXPORT_LINKS_H

#include "archive/foreign_write.h"
#include "base/table.h"

/* More names than any reader waits for. */
enum { EXPORT_NAMES_NOT_KNOWN = INT32_MAX };

/* A file of which a name is in the archive or held back. All its names are written with what is
 * here, or readers would not take them for one file. */
struct linked_file {
    struct hash128 first_name; /* its path's hash; the file is found by it */
    struct identity identity;
    uint32_t number;
    uint32_t names, missing; /* as the system counts them; not seen yet */
    uint32_t written;        /* names in the archive */
    uint32_t mode;
    uint64_t owner, group;
    struct timestamp mtime;
    struct buffer held; /* the name that came last; empty if there is no content to wait for */
};

struct export_links {
    struct table files;
};

void export_links_init(struct export_links *l);
void export_links_release(struct export_links *l);

/* How many names a member's file has for readers: 1 or more. */
uint32_t export_links_names(const struct entry *e);

/* Adds the first name of a file, which was written or, with content, is held back. A further name
 * stands in for a first one that could not be stored. */
MUST_CHECK int export_links_add(struct export_links *l, const struct foreign_member *m,
                                struct error *err);
/* The file of a further name; NULL if no name of it was stored. Borrowed until the next add or
 * remove. */
struct linked_file *export_links_find(struct export_links *l, const struct entry *e);
/* Forgets a file. */
void export_links_remove(struct export_links *l, struct linked_file *file);
/* The files whose last name did not come, in the order in which they were added; *out is the
 * caller's array, of what `l` still owns. */
MUST_CHECK int export_links_rest(struct export_links *l, struct linked_file **out, size_t *count,
                                 struct error *err);

#endif
