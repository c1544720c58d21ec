/*
 * diff.h: what makes one tree different from another. A merge of two canonical streams (linear
 * time, no table of paths), or, where `want` is unordered, a look-up of each of its entries in
 * `have`. The one engine behind verify (say what differs), restore and mirror (make it equal) and
 * --dry-run (say what would be done).
 *
 * `want` is the reference, `have` what is compared or changed. Names that are one file are compared
 * over the names that both sides have, by a map of identities in both directions, so that one
 * missing name does not blame its group. diff does no I/O of its own: whether contents are equal is
 * its caller's to find out where DIFFERS_DATA_UNKNOWN says so.
 */
#ifndef HOLDFAST_TREE_DIFF_H
#define HOLDFAST_TREE_DIFF_H

#include "base/hash.h"
#include "tree/source.h"

enum difference {
    DIFFERS_MISSING = 1 << 0, /* in want, not in have */
    DIFFERS_EXTRA =
        1 << 1, /* in have, not in want (a folder's content follows, each entry as extra) */
    DIFFERS_KIND = 1 << 2,         /* another kind of thing */
    DIFFERS_DATA = 1 << 3,         /* contents differ for certain: sizes differ */
    DIFFERS_DATA_UNKNOWN = 1 << 4, /* equal sizes: contents are still to be compared */
    DIFFERS_TARGET = 1 << 5,
    DIFFERS_DEVICE = 1 << 6,   /* device numbers */
    DIFFERS_JOINED = 1 << 7,   /* have's name is the same file as `other`, want's is not */
    DIFFERS_SPLIT = 1 << 8,    /* want's name is the same file as `other`, have's is not */
    DIFFERS_METADATA = 1 << 9, /* see `fields` and, for xattrs, diff_xattrs */
    DIFFERS_UNREADABLE =
        1 << 10, /* one side has a problem here: see the entries. With MISSING or EXTRA: what the
                    other side has here is not known, so it is neither for certain */
};

/* Asked, of ordered sources, about a link of have that stands where want has a folder. */
struct diff_adapter {
    /* Puts another entry in the link's place, if there is to be one: a folder, whose content have's
     * source yields next. */
    int (*adapt)(struct diff_adapter *a, const struct entry **have, struct error *err);
};

struct diff_options {
    uint32_t ignore_fields; /* enum metadata_field bits that are no part of equality (owner and
                               group for an ordinary user, ...) */
    uint64_t
        time_grain_ns; /* times are cut to this grain before they are compared; 0 and 1 are exact */
    bool has_distrust; /* `distrust_since` holds: contents of have's files whose ctime is not older
                          are compared in spite of `quick` */
    struct timestamp distrust_since; /* (a run before this one was cut by a power failure) */
    bool quick;  /* equal size and mtime, and want's ctime older than have's inode's: contents are
                    taken as equal */
    bool settle; /* the caller changes `have` as it goes and calls diff_settle after each pair */
    struct diff_adapter *adapter; /* borrowed; or NULL */
};

/* One pair, or one side alone. Borrowed until the next call. */
struct difference_pair {
    const struct entry *want; /* NULL when extra */
    const struct entry *have; /* NULL when missing */
    uint32_t differs;         /* enum difference bits; 0 = the same */
    uint32_t fields;          /* enum metadata_field bits that differ */
    struct bytes other;  /* split and further names: a name of want's group that is there in have
                            (settle: that was made); joined alone: the same as `joined` */
    struct bytes joined; /* joined: the other name, a path in have and want; else, and with settle,
                            empty */
    bool group_first;    /* this is the pair in which content and metadata of its file or group are
                            compared (settle: or made anew); false for the group's    further pairs,
                            where    nothing but names is compared. Where it is true and both sides are
                            compared, both are complete (source_load);    with settle `want` always is.
                            Others can be completed by the caller */
};

/* What a caller with options.settle did about a pair. */
enum diff_outcome {
    DIFF_KEPT,     /* have's file stays (its metadata may have been set) */
    DIFF_REPLACED, /* the name is now another file (fresh, or linked to its group's) */
    DIFF_FAILED,   /* could not be made; the group's next name has to be made anew */
};

struct diff;
/* Borrows both sources. `find` mode is chosen by want's facts (ordered or not); else `have` must be
 * ordered, too: ERROR_UNSUPPORTED. */
MUST_CHECK int diff_new(struct source *want, struct source *have,
                        const struct diff_options *options, struct diff **out, struct error *err);
void diff_free(struct diff *d);

/* From now on times are cut to this grain if it is coarser, and what an earlier run may have left
 * is distrusted (diff_options) from this moment on, if it is not NULL and earlier. */
void diff_widen(struct diff *d, uint64_t time_grain_ns, const struct timestamp *distrust_since);

/* 1 and *out, 0 at the end of both, -1. A source that breaks the order that it promises is
 * ERROR_FORMAT. A problem with a folder's content (PROBLEM_CONTENT) comes as an unreadable pair
 * with one side. */
MUST_CHECK int diff_next(struct diff *d, const struct difference_pair **out, struct error *err);

/* Does not descend, on either side, into the folder of the pair that came last. */
void diff_skip(struct diff *d);

/* Tells what became of the pair that came last (options.settle). */
MUST_CHECK int diff_settle(struct diff *d, enum diff_outcome outcome, struct error *err);

/* What a caller with options.settle keeps of a group of want while names of it may come. */
struct diff_note {
    uint64_t device, file; /* that the names are to be of */
    uint32_t names;        /* that were made of it */
    bool is_made;          /* in this run */
};
/* The note on a group, which is known by the hash of its first name's path; false if there is none.
 */
bool diff_note(const struct diff *d, const struct hash128 *group, struct diff_note *out);
/* Makes or changes it: 1; 0 if there is no room for it, because no name of the group was settled or
 * its last one was, or a number is too large; -1. */
MUST_CHECK int diff_set_note(struct diff *d, const struct hash128 *group, struct diff_note note,
                             struct error *err);

/* What a file that stands outside `have`, of which the name in hand could become one more name, is
 * to want's groups. */
enum diff_claim {
    DIFF_UNCLAIMED,
    DIFF_TOUCHED, /* the same, but this run took a name from it: its ctime says nothing */
    DIFF_CLAIMED, /* another group of want stands on it: the two must not become one */
};
/* Asks that of the file of an identity, for the pair that came last (options.settle). */
enum diff_claim diff_claim_of(const struct diff *d, const struct identity *file);
/* Notes that the name of the pair that came last has become one of that file's; before
 * diff_settle. */
MUST_CHECK int diff_claim(struct diff *d, const struct identity *file, struct error *err);

enum diff_side { DIFF_WANT, DIFF_HAVE };

/* Keeps the content hash (data_hash) of the group that the entry of that side belongs to, and gives
 * it back at its further names (1, or 0 if there is none): how verify compares data that stands in
 * an archive at a name that the other side lacks, or that is another file there. Both act on the
 * pair that came last; a file with one name has no group and keeps nothing. */
MUST_CHECK int diff_keep_hash(struct diff *d, enum diff_side side, struct hash128 hash,
                              struct error *err);
int diff_kept_hash(const struct diff *d, enum diff_side side, struct hash128 *hash);

/* Compares metadata alone: the fields that differ. The mode's group bits are not compared where
 * both sides carry an access ACL (they are its mask). */
uint32_t metadata_compare(const struct entry *want, const struct entry *have,
                          const struct diff_options *options);

/* True if the two files' content is equal as far as sizes and times can tell (DESIGN 7): `have` was
 * copied or compared when want's was what it is. `fields` are those that differ. */
bool content_taken_as_equal(const struct entry *want, const struct entry *have, uint32_t fields,
                            const struct diff_options *options);

/* The next xattr that differs, in order of names: 1 and the name (borrowed), 0 at the end. *place
 * starts at 0. Values: find them in the entries. */
int diff_xattrs(const struct entry *want, const struct entry *have, size_t *place,
                struct bytes *name);

/* Compares two contents, holes as zeros: 1 equal, 0 not, -1 (then *failed is the side that could
 * not be read: 0 want, 1 have). */
MUST_CHECK int data_compare(struct data *want, struct data *have, int *failed, struct error *err);

/* The hash of a content, read to its end: the one of tree/data_hash.h. */
MUST_CHECK int data_hash(struct data *d, struct hash128 *out, struct error *err);

#endif
