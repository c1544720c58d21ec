/*
 * older.h: files of older copies (--link-dest), which become further names in place of being made
 * anew. Private to the transfer.
 */
#ifndef HOLDFAST_DISK_TRANSFER_OLDER_H
#define HOLDFAST_DISK_TRANSFER_OLDER_H

#include "disk/transfer/apply.h"

/* Groups whose first name is new, so that their file was made, before a name came that an older
 * copy has: the names that were made until then are to be names of the older file, too. */
struct older_groups {
    struct spool names;     /* strings group, path: names of files that were made */
    struct table exchanged; /* struct exchanged_group */
    struct buffer record;   /* scratch */
};

struct older_copy;
struct older {
    struct older_copy *copies;
    size_t count;
    struct walk_found from; /* what older_find found */
    struct older_groups groups;
};

/* ---- older.c ---- */

/* Opens the older copies that the options name: r->older, NULL without any. */
MUST_CHECK int older_new(struct run *r, struct error *err);
/* NULL is accepted. */
void older_free(struct older *o);
/* True if an older copy has the file of a pair, exact, and free to be this name's; remembered until
 * the next call. */
bool older_find(struct run *r, const struct difference_pair *pair);
/* Gives what was found the name of the pair, the position being there: 0; 1 and *why (released by
 * the caller) if it takes none; -1. */
MUST_CHECK int older_place(struct run *r, const struct difference_pair *pair, struct error *why,
                           struct error *err);
/* Tells that a copy is made instead; releases the reason. */
void older_tell_copy(struct run *r, const struct entry *want, struct error *why);
/* Notes whose file it is from now on: of older_place, and of a dry run. */
MUST_CHECK int older_claim(struct run *r, struct error *err);
/* The file that was found. */
struct named older_named(const struct run *r);

/* ---- older_groups.c: groups whose first name is new ---- */

void older_groups_init(struct older_groups *g);
void older_groups_release(struct older_groups *g);
/* A further name in hand, of a group whose file this run made: if an older copy has the file by
 * this name, it and the names to come are linked to that: 1; 0 if it has not; -1. */
MUST_CHECK int older_groups_take(struct run *r, const struct difference_pair *pair,
                                 const struct named *file, struct error *err);
/* Remembers a further name of such a file. */
MUST_CHECK int older_groups_note(struct run *r, struct bytes group, struct bytes path,
                                 struct error *err);
/* The file of a group can have no more names, and another copy took its place. */
void older_groups_spill(struct run *r, const struct hash128 *group, struct named file);
/* After all names: links those that came before to the older file. */
MUST_CHECK int older_groups_finish(struct run *r, struct error *err);

#endif
