/*
 * remap_parts.h: a rule and what it does to one text, for the files of remap.h.
 */
#ifndef HOLDFAST_LINK_REMAP_PARTS_H
#define HOLDFAST_LINK_REMAP_PARTS_H

#include "link/remap.h"

struct remap_rule {
    struct buffer old_text, new_text;
    struct target from, to; /* parsed from these */
};

/* True if the rule meets the target; `rest` then is what of it follows OLD, beginning with a
 * separator if it is not empty. */
bool remap_rule_meets(const struct remap_rule *rule, const struct target *t, struct bytes *rest);
/* The first rule that meets the target, and its `rest`; NULL if none does. */
const struct remap_rule *remap_find(const struct remap *m, const struct target *t,
                                    struct bytes *rest);

/* A target on its way to its new text. */
struct remap_text {
    const struct remap_rule *rule;
    const struct target *target;
    struct bytes rest;
    enum target_prefix prefix; /* how the new text names its namespace, if it is Windows' */
};

/* Appends the new text. 1 if done, 0 if there is none (*why says so, static text), -1 on error. */
MUST_CHECK int remap_write(const struct remap_text *text, struct buffer *out, const char **why,
                           struct error *err);

#endif
