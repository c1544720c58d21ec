/*
 * target.h: the text of a link, without a disk: its form, and where it leads by its words alone.
 */
#ifndef HOLDFAST_LINK_TARGET_H
#define HOLDFAST_LINK_TARGET_H

#include "base/buffer.h"

/* DESIGN 2: how a target is written. */
enum target_form {
    TARGET_RELATIVE,
    TARGET_POSIX_ABSOLUTE, /* /x */
    TARGET_DRIVE_ABSOLUTE, /* C:\x */
    TARGET_DRIVE_RELATIVE, /* \x */
    TARGET_UNC,            /* \\server\share */
    TARGET_VOLUME,         /* \\?\Volume{GUID}\ */
    TARGET_NT,             /* \??\... */
};

/* DESIGN 2: where it leads. */
enum target_state {
    TARGET_INSIDE,
    TARGET_OUTSIDE,
    TARGET_DANGLING,
    TARGET_LOOPING,
    TARGET_UNKNOWN
};

/* Whose rules the text was written by. On POSIX a backslash is an ordinary byte and only RELATIVE
 * and POSIX_ABSOLUTE occur. */
enum target_rules { TARGET_RULES_POSIX, TARGET_RULES_WINDOWS };

enum target_form target_form(struct bytes target, enum target_rules rules);
/* "relative", "absolute", ... and "inside", "outside", "dangling", "looping", "unknown". */
const char *target_form_name(enum target_form form);
const char *target_state_name(enum target_state state);

/* Resolves a relative POSIX target by its words against the folder that holds the link (a path in
 * the tree, "" for the top): appends the path that it names to `out`. 1 inside the tree, 0 if it
 * climbs out of it, -1 on error. `.` and `..` are taken away by words; links on the way are the
 * caller's matter. */
MUST_CHECK int target_resolve(struct bytes folder, struct bytes target, struct buffer *out,
                              struct error *err);

#endif
