/*
 * foreign_entry.h: libarchive's entry as ours. Private to the adapter.
 */
#ifndef HOLDFAST_ARCHIVE_FOREIGN_ENTRY_H
#define HOLDFAST_ARCHIVE_FOREIGN_ENTRY_H

#include "tree/entry.h"

struct archive_entry;

/* An entry with the memory that it points into. A zeroed struct is valid. */
struct foreign_entry {
    struct entry entry;
    struct buffer path, target, first_name, owner_name, group_name, unescaped;
    struct error problem;
};

void foreign_entry_release(struct foreign_entry *e);
/* Forgets the entry and keeps its memory. */
void foreign_entry_clear(struct foreign_entry *e);
/* Replaces the content by what libarchive tells of an entry of that format (archive_format). What
 * makes no sense becomes the entry's problem; -1 if memory is short. */
MUST_CHECK int foreign_entry_fill(struct foreign_entry *e, struct archive_entry *from, int format,
                                  struct error *err);
/* Makes the entry a problem of its own; `problem` is moved in. A worse one stays. */
void foreign_entry_problem(struct foreign_entry *e, enum problem_scope scope,
                           struct error *problem);
/* Sets path, name_offset and depth. */
MUST_CHECK int foreign_entry_path(struct foreign_entry *e, struct bytes path, struct error *err);
/* Takes metadata over that has neither owner names nor xattrs. */
void foreign_entry_metadata(struct foreign_entry *e, const struct metadata *from);
/* Makes it a further name. */
MUST_CHECK int foreign_entry_further(struct foreign_entry *e, struct bytes first_name,
                                     struct error *err);

#endif
