/*
 * member.h: what of an entry stands in its tar member: fields of the header, and our comment for
 * what tar has no field for.
 */
#ifndef HOLDFAST_ARCHIVE_MEMBER_H
#define HOLDFAST_ARCHIVE_MEMBER_H

#include "archive/record.h"
#include "archive/tar.h"

/* Replaces `out` by the comment of an entry's member, empty if there is nothing that tar itself
 * does not say. `archive` is given for the archive's first member alone, else NULL. */
MUST_CHECK int member_comment(struct buffer *out, const struct entry *e,
                              const struct archive_record *archive, struct error *err);

/* Gives an entry, read from its member, what the record has of NTFS: what reparse point it is, and
 * attributes, which are put together with the others in `xattrs` (its content is replaced). The
 * entry borrows both. ERROR_FORMAT if a reparse point is stored as something else. */
MUST_CHECK int member_apply_ntfs(struct entry *e, const struct tar_member *m,
                                 const struct member_record *record, struct pairs *xattrs,
                                 struct error *err);

/* The member of an entry, but for its comment; it points to what the entry does. `data` is the open
 * content of a file, or NULL. */
struct tar_member member_of(const struct entry *e, const struct data *data);

#endif
