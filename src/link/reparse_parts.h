/*
 * reparse_parts.h: what the decoder, the encoder and the maker of reparse buffers share.
 */
#ifndef HOLDFAST_LINK_REPARSE_PARTS_H
#define HOLDFAST_LINK_REPARSE_PARTS_H

#include "link/reparse.h"

enum {
    REPARSE_SYMLINK_FIXED_BYTES = 12,    /* in front of the path buffer: 2.1.2.4 */
    REPARSE_MOUNT_POINT_FIXED_BYTES = 8, /* 2.1.2.5 */
    REPARSE_LX_FIXED_BYTES = 4,          /* in front of the target: 2.1.2.7 */
    REPARSE_LX_VERSION = 2,              /* 1 keeps its target in the file's data */
    REPARSE_GUID_BYTES = 16
};

/* The NUL behind a name: two bytes. */
struct bytes reparse_nul(void);
/* The layout that mklink gives a symbolic link (print name first), and one with the substitute name
 * first: bare for a symbolic link, with NULs for a junction. */
struct reparse_layout reparse_layout_of_symlink(void);
struct reparse_layout reparse_layout_plain(uint32_t tag);
/* What is wrong with the names, held against each other, the tag and the flags; NULL if nothing. */
const char *reparse_names_fault(const struct reparse *r);

#endif
