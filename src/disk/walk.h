/*
 * walk.h: a source that walks folders on a disk in canonical order, on held handles, following no
 * link below a root. Memory: the names of the folders on the way down. Entries are status alone
 * until source_load completes them.
 */
#ifndef HOLDFAST_DISK_WALK_H
#define HOLDFAST_DISK_WALK_H

#include "disk/layout.h"
#include "link/drives.h"
#include "link/reparse_tag.h"
#include "os/os.h"
#include "tree/filter.h"
#include "tree/inventory.h"
#include "tree/relink.h"
#include "tree/source.h"

/* What names on the disk are told as. */
enum walk_names {
    WALK_NAMES_LISTED,    /* themselves */
    WALK_NAMES_UNESCAPED, /* what they stand for, if link/winname.h escaped them; and looked up so
                           */
    WALK_NAMES_MADE,      /* the same, of a destination: a name that escaping never makes is an
                             entry with a problem, since no path leads to it */
};

struct walk_options {
    bool one_file_system; /* a folder on another device is yielded, but not descended into */
    bool missing_roots;   /* roots that are not there yield nothing (a destination); else each is an
                             entry with a problem */
    enum walk_names names;
    const struct reparse_policies
        *reparse; /* what the user wants kept as data (REPARSE_DATA) is a file, without its reparse
                     point; must stay. NULL: nothing */
    const struct relink *relink; /* notes that are not beside their entries; must stay; or NULL */
    bool owner_names;            /* fill meta.owner_name and group_name */
    /* Opens no file that nobody asked for. Else one that follows on a file that was read is opened
     * before it is looked at. */
    bool looks_first;
    const struct identity
        *leave_out; /* files that are not part of the tree (the archive being written), or NULL */
    size_t leave_out_count;
};

/* Opens the roots. Nothing is read before the first source_next, except for facts. The layout is
 * copied. */
MUST_CHECK int walk_open(const struct disk_layout *layout, const struct walk_options *options,
                         struct source **out, struct error *err);

/* True if link counts of any root's file system are hints only (namegroup_options). */
bool walk_link_count_is_hint(struct source *walk);

/* Where the entry of source_find stands that was found last, and is not a root, and its status.
 * Borrowed until the walk is asked for something else. */
struct walk_found {
    os_handle folder;
    const char *name;
    struct os_stat status;
};
struct walk_found walk_found(struct source *walk);

/* Opens the folder that the link which came last leads to, by the drives (or NULL) where it is one
 * of Windows: 1, 0 if nobody knows where it leads, -1: ERROR_CHANGED if another link has taken its
 * place since. */
MUST_CHECK int walk_link_follow(struct source *walk, const struct drives *drives, os_handle *out,
                                struct error *err);
/* Puts that folder in the place of the link: it is the entry that came last, and its content comes
 * next. The handle is the walk's from then on. */
MUST_CHECK int walk_link_enter(struct source *walk, os_handle folder, const struct entry **out,
                               struct error *err);

/* Opens the content of one file for reading by handle and name; `status` is what was seen of it.
 * The data owns the handle it opens. For walk and apply. */
MUST_CHECK int disk_data_open(os_handle folder, const char *name, struct data **out,
                              struct error *err);

/* The probe for filter_options: folders with a CACHEDIR.TAG (its first 43 bytes are "Signature:
 * 8a477f597d28d172789f06886806bc55": <https://bford.info/cachedir/>) or with a file of a given name
 * are left out. Works on a walk's folder that came last: the filter stands directly on the walk
 * (nodump goes round the filter), else the probe fails with ERROR_USAGE. */
struct folder_marks {
    struct filter_probe probe; /* to be set by folder_marks_init */
    bool caches;               /* --exclude-caches */
    const char *const *names;  /* --exclude-if-present; one component each */
    size_t name_count;
};
void folder_marks_init(struct folder_marks *m);

/* A wrapper that leaves out entries that carry the nodump flag (chattr +d); it loads each file and
 * folder. Takes `inner` over on success. */
MUST_CHECK int nodump_new(struct source *inner, struct source **out, struct error *err);

/* A resolver for the inventory: asks the system where a link of the walk leads. `inside` is judged
 * by the real path; targets of Windows by the drives (drive_way.h). Walk and drives are borrowed.
 * Only for the link that came last: whatever stands between walk and inventory must not read ahead.
 * What may not be looked at is TARGET_UNKNOWN. */
MUST_CHECK int disk_resolver_new(struct source *walk, const struct drives *drives,
                                 struct inventory_resolver **out, struct error *err);
void disk_resolver_free(struct inventory_resolver *r);

#endif
