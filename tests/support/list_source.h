/*
 * list_source.h: a source that is a list of entries in memory, so that whatever works on the stream
 * is tested with no disk. Everything fails the test instead of returning an error.
 */
#ifndef HOLDFAST_TESTS_LIST_SOURCE_H
#define HOLDFAST_TESTS_LIST_SOURCE_H

#include "support/memory_data.h"

struct list_source;

/* An empty list: ordered, names known, a root "t" without a path. Closed with source_close. */
struct list_source *list_source_new(void);
struct source *list_source(struct list_source *l);

/* To be changed before the first next; the order is made canonical then, if `ordered` still stands.
 */
struct source_facts *list_facts(struct list_source *l);

/* Adds an entry that can be changed: its own inode, one name, all metadata known. `path` must
 * outlive the list. */
struct entry *list_add(struct list_source *l, enum entry_kind kind, const char *path);

/* Adds a file with a content (static text). */
struct entry *list_file(struct list_source *l, const char *path, const char *content);

/* Adds a file of which only the pieces (which must outlive the list) are data. */
struct entry *list_sparse_file(struct list_source *l, const char *path, uint64_t size,
                               const struct memory_piece *pieces, size_t piece_count);

/* Adds a symlink. */
struct entry *list_link(struct list_source *l, const char *path, const char *target);

/* Adds one more name of a file and counts it at all its names. */
struct entry *list_name(struct list_source *l, const char *path, const char *of);

/* Adds a problem; the error's detail is "planted". */
struct entry *list_problem(struct list_source *l, enum problem_scope scope, const char *path);

/* The entry of that path that was added last. */
struct entry *list_at(struct list_source *l, const char *path);

/* Makes the entries look as an archive yields them: no identities, no counts, first names marked,
 * further names with first_name. */
void list_as_archive(struct list_source *l);

/* Takes away identities and counts alone. */
void list_forget_identities(struct list_source *l);

/* How often the list was asked to load and to skip. */
size_t list_loads(const struct list_source *l);
size_t list_skips(const struct list_source *l);

/* Content of a file of any list, as it was added. */
const char *list_content(struct list_source *l, const char *path);

#endif
