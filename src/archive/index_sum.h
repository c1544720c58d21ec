/*
 * index_sum.h: one hash over what is said of every entry, so that the index can be held against the
 * tar stream without keeping either.
 */
#ifndef HOLDFAST_ARCHIVE_INDEX_SUM_H
#define HOLDFAST_ARCHIVE_INDEX_SUM_H

#include "archive/index.h"

struct index_sum {
    struct hasher *entries;  /* over path, kind, links, place and metadata */
    struct hasher *contents; /* over the hash of each content */
    struct buffer line;      /* what one entry comes to */
    bool is_partial; /* the stream lacks some of the index's entries, so that those which it has are
                        numbered otherwise: whose names further ones are is no part of the sum */
};

MUST_CHECK int index_sum_init(struct index_sum *s, struct error *err);
void index_sum_clear(struct index_sum *s);
void index_sum_release(struct index_sum *s);

/* Adds an entry: identity, change time and names of owners, which a tar header does not have, are
 * no part of the sum, and neither is the hash of its content. */
MUST_CHECK int index_sum_add(struct index_sum *s, const struct index_item *item, struct error *err);
/* Adds the hash of the next content that has one. */
void index_sum_content(struct index_sum *s, struct hash128 hash);

/* True if both were made of equal entries. */
bool index_sum_entries_equal(const struct index_sum *a, const struct index_sum *b);
/* True if both were made of equal contents. */
bool index_sum_contents_equal(const struct index_sum *a, const struct index_sum *b);

#endif
