/*
 * transfer.h: makes places on a disk equal to a source: the engine behind restore and mirror.
 * Diff, then apply; in a dry run the same plan is told and nothing is done.
 *
 * Promises (DESIGN 7, SAFETY R2 to R5, R7, R10 to R12, R15): every change goes by a held folder
 * handle and one name; nothing that stands is written in place; what is replaced gives way by a
 * rename; each link is read back; folders get their metadata when all below is done, flags after
 * the last link; a marker names the run until its final sync.
 */
#ifndef HOLDFAST_DISK_TRANSFER_H
#define HOLDFAST_DISK_TRANSFER_H

#include "disk/layout.h"
#include "tree/source.h"
#include "tree/watcher.h"

enum transfer_mode { TRANSFER_APPLY, TRANSFER_DRY_RUN };
enum transfer_existing {
    EXISTING_UPDATE, /* what differs is replaced */
    EXISTING_KEEP,   /* what is there, of whatever content, stays (--keep-existing) */
    EXISTING_NEWER,  /* files whose mtime is newer than the source's stay (--keep-newer) */
};
enum transfer_owners {
    OWNERS_NUMBERS, /* by number */
    OWNERS_NAMES,   /* by name where the name exists here, else by number (--map-owners) */
    OWNERS_LEAVE,   /* no part of equality: an ordinary user without --owner */
};

/* What to do with junctions and Windows' symbolic links where there are none of them. */
enum transfer_foreign {
    FOREIGN_SYMLINK, /* made as symbolic links of this system, and told as not exact */
    FOREIGN_SKIP,    /* not made, and told as lost */
    FOREIGN_REFUSE,  /* not made: an error */
};

/* What to do with names that Windows cannot hold, or could not tell from another one. */
enum transfer_names {
    NAMES_REFUSE, /* not made where the place is an NTFS volume: an error */
    NAMES_ESCAPE, /* made in their escaped form (link/winname.h), wherever the place is; of two that
                     differ in case alone an NTFS volume gets one */
    NAMES_ANY,    /* made, if the volume takes them */
};

/* Whether blocks are shared with the source, where both are on one file system that can. */
enum transfer_reflink {
    REFLINK_AUTO,   /* where it can be done */
    REFLINK_ALWAYS, /* a file that cannot be made so is not made: an error */
    REFLINK_NEVER,
};

/* An older copy of the same source. */
struct transfer_older {
    const char *place;      /* the folder that stands for the source's root; must stay */
    bool has_taken;         /* `taken` holds: */
    struct timestamp taken; /* what the source changed then or later, the copy may lack; without it
                               the ctimes of the copy's files alone tell */
};

struct drives;           /* link/drives.h */
struct reparse_policies; /* link/reparse_tag.h */
struct relink;           /* tree/relink.h */
struct filter_options;   /* tree/filter.h */

/* Links that stand where the source has a folder, used as the folders that they lead to. */
struct transfer_redirects {
    const struct drives *drives; /* for links of Windows; or NULL */
    const char *apart_from;      /* a folder that they must not lead into, nor to what holds it: the
                                    source's; or NULL */
};

struct transfer_options {
    enum transfer_mode mode;
    enum transfer_existing existing;
    enum transfer_owners owners;
    enum transfer_foreign foreign_links;
    enum transfer_names windows_names;
    enum transfer_reflink reflink;
    struct relink *relink; /* takes what of reparse points cannot be kept beside what stands for
                              them; or NULL */
    bool delete_extra;     /* --delete: remove what the source lacks, inside the restored roots or
                              chosen paths */
    bool checksum;         /* always compare contents */
    bool
        clear_flags; /* --clear-flags: take immutable and append flags off what stands in the way */
    bool no_sync;    /* --no-sync */
    size_t jobs;     /* threads that write, beside the caller's own; 0 and 1: that one alone */
    const struct bytes *
        delete_within; /* chosen paths: --delete acts inside these alone; none = inside all roots */
    size_t delete_within_count;
    const struct filter_options *spare; /* rules that leave names out at the destination, too: what
                                           they match there stays as it is; or NULL */
    const struct reparse_policies *spare_reparse; /* reparse points that these leave out
                                                     (REPARSE_SKIP) stay there, too; or NULL */
    const struct transfer_redirects *redirects;   /* --keep-redirects: only for sources that come in
                                                     order; or NULL: such links stay, as errors */
    bool limits_deletes; /* `max_delete` holds: if more names would be deleted, none is */
    uint64_t max_delete;
    const struct transfer_older *older; /* --link-dest: files that they have unchanged, and the
                                           place lacks, become further names of theirs. Of a layout
                                           with one root */
    size_t older_count;
};

struct transfer_counts {
    uint64_t entries; /* of the source, seen */
    uint64_t created, replaced, linked, updated, deleted, unchanged;
    uint64_t older;   /* files that became further names of older copies' */
    uint64_t bytes;   /* file contents written */
    uint64_t extras;  /* names at the destination that the source lacks and that stay */
    uint64_t refused; /* names that were not safe or not possible */
};

/* One run: where to, how, who is told, and what became of it. */
struct transfer {
    struct disk_layout layout;
    struct transfer_options options;
    struct watcher *watcher;
    struct transfer_counts counts; /* filled in by transfer_run */
};

/* Runs to the end of `want` (borrowed). 0: ran to its end (losses and errors of single entries went
 * to the watcher); -1: stopped before the end, and err says why; what was done stays done,
 * temporary names are gone. Makes the layout's base and the parents of places if they are missing.
 */
MUST_CHECK int transfer_run(struct transfer *t, struct source *want, struct error *err);

#endif
