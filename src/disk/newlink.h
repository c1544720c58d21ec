/*
 * newlink.h: one new link, as mklink and ln make it: a symbolic link or a junction whose target is
 * a text, or one more name of a file. What stands at its place is never replaced.
 */
#ifndef HOLDFAST_DISK_NEWLINK_H
#define HOLDFAST_DISK_NEWLINK_H

#include <stdbool.h>

#include "base/buffer.h"

enum newlink_kind { NEWLINK_SYMBOLIC, NEWLINK_JUNCTION, NEWLINK_HARD };

/* What a symbolic link of NTFS stands for; elsewhere they stand for nothing. */
enum newlink_flavour { NEWLINK_AS_TARGET, NEWLINK_FILE, NEWLINK_FOLDER };

struct newlink {
    enum newlink_kind kind;
    enum newlink_flavour flavour;
    const char *target; /* the text of the link; of NEWLINK_HARD the path of the file */
    const char *place;  /* the path of the new name; its folder must be there */
};

/* What was made. */
struct newlink_made {
    bool on_ntfs;         /* a link of Windows */
    bool for_folder;      /* its flavour */
    bool is_guessed;      /* the flavour is that of a file, since the target cannot be looked at */
    struct buffer target; /* the text as it stands in the link now; owned by the caller */
};

/* Makes it and syncs its folder. ERROR_USAGE, with what to do instead, for all that is known before
 * anything is made: something stands there, the file system has no such link, the target is none
 * for it. On an NTFS volume the new name is an empty file or folder for a moment, as it is on
 * Windows; elsewhere it is the link or not there. On failure nothing was made. */
MUST_CHECK int newlink_make(const struct newlink *l, struct newlink_made *made, struct error *err);

#endif
