/*
 * drives.h: which folder of this system is which drive of Windows (--drive C:=/mnt/win). Without it
 * nobody knows where C:\x is; with it C:\x is /mnt/win/x, and /mnt/win/x is C:\x. By words alone.
 */
#ifndef HOLDFAST_LINK_DRIVES_H
#define HOLDFAST_LINK_DRIVES_H

#include "link/remap.h"

/* The drives. A zeroed struct has none. */
struct drives {
    struct remap here, windows; /* each drive as a rule, and the other way round */
};

/* Frees them and zeroes the struct. A zeroed struct is accepted. */
void drives_release(struct drives *d);

/* Adds one from the text C:=/mnt/win: a letter and a colon, an absolute path of POSIX. ERROR_USAGE
 * with the reason in words for everything else, and for a letter that is there already. */
MUST_CHECK int drives_add_text(struct drives *d, struct bytes text, struct error *err);

/* Appends the path of POSIX that an absolute target of Windows (as Win32 writes it) is: 1; 0 if no
 * drive holds it, -1. */
MUST_CHECK int drives_append_here(const struct drives *d, struct bytes target, struct buffer *out,
                                  struct error *err);
/* Appends the path of Windows that an absolute path of POSIX is: 1; 0 if it is in no drive, or
 * Windows cannot name it; -1. */
MUST_CHECK int drives_append_windows(const struct drives *d, struct bytes path, struct buffer *out,
                                     struct error *err);

#endif
