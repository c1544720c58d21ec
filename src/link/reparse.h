/*
 * reparse.h: the buffer of a reparse point, between the bytes that NTFS stores and their meaning.
 *
 * The bytes are what FSCTL_GET_REPARSE_POINT and ntfs-3g's system.ntfs_reparse_data give, at most
 * REPARSE_MAX_BYTES, header included ([MS-FSCC] 2.1.2.2):
 *
 *     tag u32, data length u16, reserved u16, [GUID, 16 bytes, if the tag is not Microsoft's], data
 *
 * The data of a symbolic link (2.1.2.4) and of a mount point (2.1.2.5) is two names, anywhere in a
 * path buffer behind their offsets and lengths in bytes: the substitute name, which the system
 * follows, and the print name, which people are shown. Makers differ in the order of the two, in
 * NULs behind them, and in whether there is a print name. A decoded buffer remembers all that, so
 * that it is encoded to the same bytes again, and to the same layout if names were exchanged.
 *
 * A disk holds any bytes under these tags: what is malformed is recognised, kept, and said (SAFETY
 * R13). Nothing here opens anything.
 */
#ifndef HOLDFAST_LINK_REPARSE_H
#define HOLDFAST_LINK_REPARSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "link/reparse_tag.h"
#include "link/target.h"

enum {
    REPARSE_MAX_BYTES = 16384,     /* MAXIMUM_REPARSE_DATA_BUFFER_SIZE */
    REPARSE_HEADER_BYTES = 8,      /* REPARSE_DATA_BUFFER, 2.1.2.2 */
    REPARSE_GUID_HEADER_BYTES = 24 /* REPARSE_GUID_DATA_BUFFER, 2.1.2.3 */
};

/* A symbolic link's flags ([MS-FSCC] 2.1.2.4): the substitute name is no name of the object
 * namespace but x, ..\x or \x. */
#define REPARSE_SYMLINK_RELATIVE UINT32_C(1)

enum reparse_kind {
    REPARSE_MALFORMED,  /* see `fault`; only tag, raw and data (if there is that much) are set */
    REPARSE_SYMLINK,    /* `substitute`, `print` and `flags` */
    REPARSE_JUNCTION,   /* `substitute` and `print`: a folder, by an absolute name */
    REPARSE_MOUNTPOINT, /* the same, and the substitute name is the root of a volume:
                           \??\Volume{GUID}\ */
    REPARSE_LX_SYMLINK, /* `substitute` is the target, a POSIX path ([MS-FSCC] 2.1.2.7, version 2)
                         */
    REPARSE_OTHER,      /* any other tag; its data says nothing to us */
};

/* In which order the two names stand in the path buffer. */
enum reparse_order {
    REPARSE_SUBSTITUTE_FIRST,
    REPARSE_PRINT_FIRST,
    REPARSE_SHARED,      /* one and the same place */
    REPARSE_OVERLAPPING, /* one begins inside the other: see reparse_encode */
};

/* Where the names stand, apart from their own lengths. The bytes are borrowed, from the decoded
 * buffer or from constants; those between the names are often a NUL, two bytes. */
struct reparse_layout {
    enum reparse_order order;
    struct bytes before, between, after;
};

/* A decoded buffer. `substitute` and `print` are owned (reparse_release); `raw`, `guid`, `data` and
 * the layout's bytes are borrowed from what was decoded, which has to stay. */
struct reparse {
    enum reparse_kind kind;
    uint32_t tag;
    uint16_t reserved;               /* "MUST be ignored": kept */
    uint32_t flags;                  /* of SYMLINK, all bits */
    struct buffer substitute, print; /* WTF-8, not empty; may be empty. No NUL in them */
    struct reparse_layout layout;
    struct bytes raw;  /* the whole buffer; empty if this was made, not decoded */
    struct bytes guid; /* 16 bytes, or empty */
    struct bytes data; /* what follows the header (and the GUID) */
    const char *fault; /* of MALFORMED: why, static text. Equal reasons are the same text */
};

/* Frees the names and zeroes the struct. A zeroed struct is accepted. */
void reparse_release(struct reparse *r);

/* Decodes a buffer of any bytes into `out` (zeroed or released), which borrows from it. That the
 * buffer is malformed is no error but its kind; -1 is lack of memory. */
MUST_CHECK int reparse_decode(struct bytes raw, struct reparse *out, struct error *err);

/* "symlink", "junction", "mount point", "LX symlink", "reparse point", "malformed". */
const char *reparse_kind_name(enum reparse_kind kind);
/* True for the four kinds of links, which have a substitute name. */
bool reparse_is_link(const struct reparse *r);
/* True if decoding and encoding give the same bytes: always but for names that overlap. */
bool reparse_is_exact(const struct reparse *r);
/* The rules by which a link's substitute name is read. */
enum target_rules reparse_rules(const struct reparse *r);
/* Appends where a link leads, for people, archives and comparisons: a symbolic link's, junction's
 * or mount point's substitute name as Win32 writes it (C:\x, \\s\h, ..\x: target_append_win32), an
 * LX symlink's target. The print name is not asked: it may be missing or say something else.
 * ERROR_USAGE for what is no link. */
MUST_CHECK int reparse_append_target(const struct reparse *r, struct buffer *out,
                                     struct error *err);

/*
 * Appends the bytes. For a decoded buffer, unchanged, they are `raw` again, where reparse_is_exact;
 * MALFORMED and OTHER are always exact. A caller may put other names in `substitute` and `print`
 * and change `flags`: all else stays as it was decoded, the order and the bytes round the names
 * too. Where that cannot be, since names overlapped or a shared place has two names now, they are
 * written one after the other, substitute name first, without NULs for a symbolic link and with
 * for a junction: keep `raw` of a link whose names did not change.
 *
 * ERROR_FORMAT if a name is no WTF-8, has a NUL, or the substitute name is empty or does not go
 * with the tag and flags (reparse_decode would call it malformed). ERROR_LIMIT over
 * REPARSE_MAX_BYTES. On error `out` is as before.
 */
MUST_CHECK int reparse_encode(const struct reparse *r, struct buffer *out, struct error *err);

/* What reparse_make makes. */
enum reparse_made { REPARSE_MAKE_SYMLINK, REPARSE_MAKE_JUNCTION, REPARSE_MAKE_LX_SYMLINK };

/*
 * Makes the link that mklink makes for a target: `out` (zeroed or released) owns its names and
 * borrows only constants. `target` is what a person writes (TARGET_RULES_WINDOWS; for an LX symlink
 * any POSIX path): slashes are turned, and `.`, `..` and empty components of absolute paths are
 * taken out by words, since the object manager knows none of these.
 *   - symbolic link: print name first, no NULs. C:\x gets the substitute name \??\C:\x, \\s\h gets
 *     \??\UNC\s\h, \\?\Volume{..}\x gets \??\Volume{..}\x; x, ..\x and \x stay and get
 *     REPARSE_SYMLINK_RELATIVE.
 *   - junction: substitute name first, a NUL behind each. A drive's or a volume's path; a volume's
 *     root is a mount point, whose print name is empty as mountvol leaves it.
 * ERROR_USAGE, with the reason in words, for what such a link cannot hold: an empty target, C:x
 * (mklink would put a process's current folder in), a name of a device, a path that climbs over its
 * root, a junction's target that is relative or on a server; and for a name with a NUL or that is
 * no WTF-8. ERROR_LIMIT if the buffer would be over REPARSE_MAX_BYTES.
 */
MUST_CHECK int reparse_make(enum reparse_made what, struct bytes target, struct reparse *out,
                            struct error *err);

#endif
