/*
 * kept_filters.h: the filters that a backup was made with, as its archive remembers them (one
 * "name=value" a line), so that what they left out is not missed later.
 */
#ifndef HOLDFAST_CLI_KEPT_FILTERS_H
#define HOLDFAST_CLI_KEPT_FILTERS_H

#include "cli/tree.h"

/* Appends the lines. A pattern with a line break is left out. */
MUST_CHECK int kept_filters_write(const struct filter_settings *filter, struct buffer *out,
                                  struct error *err);

/* An archive that was opened. */
struct kept_in {
    const struct tree *tree;
    const char *archive; /* its name, or "-" */
    struct watcher *watcher;
};

/* Adds the filters that the archive was made with behind those that are there: 1 if it has some, 0,
 * -1. Options of later versions are passed over. What is added points into `memory`. */
MUST_CHECK int kept_filters_recall(const struct kept_in *in, struct filter_settings *filter,
                                   struct buffer *memory, struct error *err);

#endif
