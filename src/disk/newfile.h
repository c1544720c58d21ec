/*
 * newfile.h: a file that appears under its name whole and synced, or not at all (SAFETY R6):
 * written without a name (O_TMPFILE) or, where that cannot be, under a temporary one in the same
 * folder.
 */
#ifndef HOLDFAST_DISK_NEWFILE_H
#define HOLDFAST_DISK_NEWFILE_H

#include <stdbool.h>

#include "os/os.h"

struct newfile {
    os_handle folder, file;
    struct buffer name;      /* final name, NUL-terminated */
    struct buffer temporary; /* its name until then, NUL-terminated; empty while it has none */
    bool is_new; /* set by the caller, once begun: a name that is taken by then stays what it is,
                    and the commit fails (os_error_is_exists) */
};

enum newfile_durability { NEWFILE_SYNC, NEWFILE_NO_SYNC };

/* Begins a file that will be at `path` (its folder must be there). A link at the path's last
 * component is followed, once and here: what it leads to is replaced; one that leads nowhere is
 * ERROR_USAGE. */
MUST_CHECK int newfile_begin(struct newfile *f, const char *path, struct error *err);
/* Puts it in place, over what stands there (but see is_new). The struct is released whatever the
 * result. */
MUST_CHECK int newfile_commit(struct newfile *f, enum newfile_durability durability,
                              struct error *err);
/* Throws it away. */
void newfile_abandon(struct newfile *f);

#endif
