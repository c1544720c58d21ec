/*
 * snapshots.h: the dated names of snapshots, and which of them a policy keeps. Pure functions;
 * times are seconds since 1970, and all that is said of hours, days, weeks and months goes by UTC,
 * as the names do.
 */
#ifndef HOLDFAST_TREE_SNAPSHOTS_H
#define HOLDFAST_TREE_SNAPSHOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/* What a name says of the folder that bears it. */
enum snapshot_state {
    SNAPSHOT_WHOLE,
    SNAPSHOT_UNFINISHED, /* NAME.unfinished: a run makes it, or made it and was cut off */
    SNAPSHOT_PRUNED,     /* NAME.pruned: on its way out */
};

/* Room for every such name. */
enum { SNAPSHOT_NAME_BYTES = 32 };

/* Writes "2026-11-25T130501Z" with what the state adds, NUL-terminated. Names sort as their times
 * do, and every file system takes them. The time lies in the years 1970 to 9999. */
void snapshot_name(char out[SNAPSHOT_NAME_BYTES], int64_t seconds, enum snapshot_state state);
/* True if snapshot_name writes this very name; then both are what it was made of. */
bool snapshot_name_parse(struct bytes name, int64_t *seconds, enum snapshot_state *state);

/* How many are kept: the newest of each of so many hours, days, ... that have one. */
enum snapshot_period {
    SNAPSHOT_LAST, /* so many of the newest, whenever they were made */
    SNAPSHOT_HOURLY,
    SNAPSHOT_DAILY,
    SNAPSHOT_WEEKLY, /* weeks begin on Monday */
    SNAPSHOT_MONTHLY,
    SNAPSHOT_YEARLY,
    SNAPSHOT_PERIODS,
};
struct snapshot_rules {
    uint32_t counts[SNAPSHOT_PERIODS];
};

/* Reads "daily=7,weekly=4,last=3": each period once at most, each count one at least. ERROR_USAGE.
 */
MUST_CHECK int snapshot_rules_parse(const char *text, struct snapshot_rules *out,
                                    struct error *err);
/* Sets kept[i] for each time that a rule keeps. `times` ascend; the last is kept always. */
void snapshot_rules_apply(const struct snapshot_rules *rules, const int64_t *times, size_t count,
                          bool *kept);

#endif
