/*
 * findings.h: how verify tells the differences of two trees, to people and to programs, and counts
 * them.
 */
#ifndef HOLDFAST_CLI_FINDINGS_H
#define HOLDFAST_CLI_FINDINGS_H

#include "cli/report.h"
#include "tree/diff.h"

enum finding_kind {
    FINDING_MISSING,
    FINDING_EXTRA,
    FINDING_KIND,
    FINDING_DATA,
    FINDING_TARGET,
    FINDING_JOINED,
    FINDING_SPLIT,
    FINDING_METADATA,
    FINDING_KINDS, /* how many there are */
};

struct findings {
    struct report *report;
    uint64_t found[FINDING_KINDS];
};

/* Tells all that a pair differs in, but for contents that are still to be compared. */
void findings_tell_pair(struct findings *f, const struct difference_pair *pair);
/* Tells that contents differ. */
void findings_tell_data(struct findings *f, struct bytes path);
uint64_t findings_count(const struct findings *f);
/* Prints "equal: " or "3 differences (data 1, split 2) in ". */
void findings_print_summary(const struct findings *f);
/* Adds the counts to a summary object that was begun. */
void findings_json_summary(const struct findings *f);

#endif
