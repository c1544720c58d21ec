/*
 * archived.h: archives of the program in a test's folder.
 */
#ifndef SUPPORT_ARCHIVED_H
#define SUPPORT_ARCHIVED_H

#include "archive/backup.h"
#include "archive/open.h"
#include "support/folder.h"
#include "support/list_source.h"
#include "support/told.h"

/* Writes a source, which is closed, as the archive `name`. What is told goes to `told`. */
struct backup_counts archived(const struct folder *f, const char *name, struct source *source,
                              struct told *told);
/* The same in another container than zstd. */
struct backup_counts archived_in(const struct folder *f, const char *name, enum container container,
                                 struct source *source, struct told *told);

/* The same on top of an older archive. */
struct backup_counts archived_on(const struct folder *f, const char *name, const char *base,
                                 struct source *source, struct told *told);

/* Opens an archive for reading. */
struct opened_archive archive_opened(const struct folder *f, const char *name, struct told *told);
os_handle archive_handle(const struct folder *f, const char *name);
/* The whole file. */
struct buffer archive_bytes(const struct folder *f, const char *name);
/* Makes a file of bytes, over what stands there. */
void archive_put(const struct folder *f, const char *name, struct bytes bytes);

/* The content of the file that came last from a source. */
struct buffer content_of(struct source *s);
/* Goes on to the file of that path and compares its content. */
void check_content(struct source *s, const char *path, const char *content);

#endif
