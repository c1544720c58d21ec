/*
 * reparse_choice.h: leaves reparse points out, or names them as errors, by what the user wants for
 * their tags (link/reparse_tag.h), and counts all that pass by tag. Keeping the data of one as an
 * ordinary file is the walk's own matter (disk/walk.h): such a file passes here as any other.
 */
#ifndef HOLDFAST_TREE_REPARSE_CHOICE_H
#define HOLDFAST_TREE_REPARSE_CHOICE_H

#include "link/reparse_tag.h"
#include "tree/source.h"

/* What came of one tag. */
struct reparse_count {
    uint32_t tag;
    enum reparse_policy policy;
    uint64_t entries; /* with that tag, names of one file counted each */
};

/* Wraps a source, which it owns from then on. `policies` must stay. */
MUST_CHECK int reparse_choice_new(struct source *inner, const struct reparse_policies *policies,
                                  struct source **out, struct error *err);
/* The counts so far, by ascending tags, borrowed until the next entry; of a source that
 * reparse_choice_new made. */
const struct reparse_count *reparse_choice_counts(struct source *s, size_t *count);

#endif
