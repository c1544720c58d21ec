/*
 * names.h: member names as other tools write them, brought to the form of entry paths; names of
 * roots.
 */
#ifndef HOLDFAST_ARCHIVE_NAMES_H
#define HOLDFAST_ARCHIVE_NAMES_H

#include "tree/source.h"

enum names_absolute { NAMES_KEEP_ABSOLUTE, NAMES_STRIP_ABSOLUTE };

/* Replaces `out` by the name without `.` components, doubled and trailing slashes. A leading slash
 * stays (to be refused by whoever makes it) unless it is to be stripped; `..` always stays. "." and
 * "./" become the empty path. */
MUST_CHECK int names_clean(struct buffer *out, struct bytes name, enum names_absolute absolute,
                           struct error *err);

/* True of a path without empty component, `.`, `..` or NUL that is not too long for an archive. */
bool names_is_clean(struct bytes path);

/* Checks the names of an archive's roots, which become places: only sound ones, in order, each
 * once; else ERROR_FORMAT. */
MUST_CHECK int names_check_roots(const struct source_facts *facts, struct error *err);

#endif
