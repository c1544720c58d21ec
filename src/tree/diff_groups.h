/*
 * diff_groups.h: which names are one file, on both sides of a diff. Private to diff.c.
 *
 * want's group is known by its first name, have's by its identity (or, in an archive, by its first
 * name as well). Two tables hold the groups that were met, one for each side; a group leaves its
 * table when its last name was met, where its number is known.
 */
#ifndef HOLDFAST_TREE_DIFF_GROUPS_H
#define HOLDFAST_TREE_DIFF_GROUPS_H

#include "base/ordinals.h"
#include "base/table.h"
#include "tree/diff.h"
#include "tree/pathnode.h"

/* The groups of the pair in hand: what diff_settle and the kept hashes act on. */
struct diff_hand {
    bool shared[2];          /* by enum diff_side: the file may have other names */
    struct hash128 want;     /* key, if shared[DIFF_WANT] */
    struct identity have;    /* key, if shared[DIFF_HAVE] */
    bool touched;            /* have's file lost a name in this run, so its ctime says nothing */
    bool further;            /* want is a further name */
    bool paired;             /* both sides are the same kind and were matched */
    bool last_name[2];       /* by enum diff_side: the group has left its table */
    uint64_t counts[2];      /* link counts, by enum diff_side; 0 = not known */
    struct bytes path;       /* borrowed */
    struct bytes first_name; /* borrowed; of a further name of want */
};

struct diff_groups {
    bool settle;
    bool names_known[2]; /* by enum diff_side: the source marks all names */
    struct table want, have;
    struct table named;      /* groups of want that are not known by their first names */
    struct ordinals volumes; /* that the records' numbers mean */
    struct table pairs;      /* a have group's want groups behind its first */
    struct table hashes[2];  /* by enum diff_side */
    struct pathtree tree;
    struct buffer other, joined;
    struct diff_hand hand;
};

void groups_init(struct diff_groups *g, bool settle, const struct source_facts *want,
                 const struct source_facts *have);
void groups_release(struct diff_groups *g);

/* Takes a pair in hand; either side may be NULL. Nothing is compared. `path` is the entries' own
 * and stays valid until the pair is settled. */
void groups_take(struct diff_groups *g, const struct entry *want, const struct entry *have,
                 struct bytes path);

/* Compares the names of the pair in hand, two entries of one kind: sets group_first, other, joined
 * and the bits of `pair`. */
MUST_CHECK int groups_match(struct diff_groups *g, struct difference_pair *pair, struct error *err);

/* The same for an entry of want that has no partner of its kind. */
MUST_CHECK int groups_alone(struct diff_groups *g, struct difference_pair *pair, struct error *err);

/* Counts a name of have that has no partner. */
void groups_extra(struct diff_groups *g);

/* See diff_claim_of and diff_claim; `want` is the entry in hand. */
enum diff_claim groups_claim_of(const struct diff_groups *g, const struct entry *want,
                                const struct identity *file);
MUST_CHECK int groups_claim(struct diff_groups *g, const struct entry *want,
                            const struct identity *file, struct error *err);

/* See diff_settle, diff_note, diff_set_note, diff_keep_hash, diff_kept_hash. */
MUST_CHECK int groups_settle(struct diff_groups *g, enum diff_outcome outcome, struct error *err);
bool groups_note(const struct diff_groups *g, const struct hash128 *group, struct diff_note *out);
MUST_CHECK int groups_set_note(struct diff_groups *g, const struct hash128 *group,
                               struct diff_note note, struct error *err);
MUST_CHECK int groups_keep_hash(struct diff_groups *g, enum diff_side side, struct hash128 hash,
                                struct error *err);
int groups_kept_hash(const struct diff_groups *g, enum diff_side side, struct hash128 *hash);

#endif
