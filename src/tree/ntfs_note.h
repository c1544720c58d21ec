/*
 * ntfs_note.h: what NTFS alone has of an entry, as bytes: attributes, security descriptor, time of
 * creation, and of a reparse point its buffer. Where a tree from an NTFS volume stands on another
 * file system for a time, a note of it stands beside each entry in an extended attribute, from
 * which a later backup takes it (docs/format.md, "NTFS' metadata on other file systems").
 */
#ifndef HOLDFAST_TREE_NTFS_NOTE_H
#define HOLDFAST_TREE_NTFS_NOTE_H

#include "tree/entry.h"

/* The attribute; only root sees it. */
#define NTFS_NOTE_NAME "trusted.holdfast.ntfs"

/* What a note holds. */
struct ntfs_note {
    struct bytes reparse; /* borrowed; empty if it was no reparse point */
    bool folder_flavour;
};

/* Appends the note of an entry that has attributes of NTFS or is a reparse point. */
MUST_CHECK int ntfs_note_encode(struct buffer *out, const struct entry *e, struct error *err);
/* Decodes a note: *out borrows from it, and the attributes are appended to `xattrs`, which may be
 * NULL. ERROR_FORMAT if it is none. */
MUST_CHECK int ntfs_note_decode(struct bytes note, struct ntfs_note *out, struct pairs *xattrs,
                                struct error *err);

/* Appends the text of the symbolic link that stands elsewhere for a link of Windows: its target,
 * with slashes if it is relative and can be said so. */
MUST_CHECK int ntfs_note_link_text(const struct entry *e, struct buffer *out, struct error *err);

/* Appends those attributes of a list that are NTFS' (entry_xattr_is_ntfs), without what their names
 * begin with. */
MUST_CHECK int ntfs_xattrs_encode(struct buffer *out, const struct pairs *xattrs,
                                  struct error *err);
/* Decodes all that the cursor holds and appends it to `out`. ERROR_FORMAT if a name makes no sense
 * or they do not ascend. */
MUST_CHECK int ntfs_xattrs_decode(struct cursor *c, struct pairs *out, struct error *err);

#endif
