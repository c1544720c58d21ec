/*
 * relink.h: a file beside a restored tree, with the notes (ntfs_note.h) of reparse points that
 * could not be kept beside what stands for them: without the right to, or without the room. A later
 * backup takes them from it by their paths, for what still looks as it was made. All is held in
 * memory.
 *
 * Its first line is "holdfast relink 1"; each line behind it is an entry's path and its note, in
 * base64 with a space between.
 */
#ifndef HOLDFAST_TREE_RELINK_H
#define HOLDFAST_TREE_RELINK_H

#include "base/table.h"
#include "tree/entry.h"

/* To be made by relink_init. */
struct relink {
    struct buffer text;  /* the file's bytes */
    bool is_changed;     /* something was added */
    struct buffer notes; /* decoded, of what was read */
    struct table places; /* of the notes, by the hashes of paths */
};

void relink_init(struct relink *r);
/* A zeroed struct is accepted. */
void relink_release(struct relink *r);
/* Appends an entry to the text, if it does not say the same already. */
MUST_CHECK int relink_add(struct relink *r, const struct entry *e, struct error *err);
/* Takes what a file holds. ERROR_FORMAT if it is none. The last line of a path counts. */
MUST_CHECK int relink_read(struct relink *r, struct bytes file, struct error *err);
/* The note of a path that was read, borrowed; false if there is none. */
bool relink_find(const struct relink *r, struct bytes path, struct bytes *note);

#endif
