/*
 * apply.h: what the files of the transfer share; private to them.
 *
 * transfer.c runs the loop: the diff gives a pair, plan.c decides what is to be done about it, and
 * apply.c has it done (or, in a dry run, plan.c tells it). passage.c has folders wait that are only
 * on the way to what was asked for. position.c holds the folders on the way to the entry in hand,
 * placing.c puts a new object under its name, file.c, node.c, folder.c and names.c make the
 * objects, older.c finds those that need not be made, meta.c sets their metadata; parents.c holds
 * the folders that links are made from. late.c keeps what has to wait for the end of the run,
 * trash.c removes what is to go. writers.c has new objects made by other threads, each of which
 * makes a batch (batch.c) at a time.
 *
 * A function that returns -1 failed for the entry in hand; run_failed tells whether the run can go
 * on.
 */
#ifndef HOLDFAST_DISK_TRANSFER_APPLY_H
#define HOLDFAST_DISK_TRANSFER_APPLY_H

#include "base/table.h"
#include "disk/anchor.h"
#include "disk/dirstack.h"
#include "disk/removal.h"
#include "disk/spool.h"
#include "disk/transfer.h"
#include "disk/walk.h"
#include "tree/diff.h"

enum { APPLY_BLOCK_BYTES = 256 * 1024, APPLY_VOLUMES = 8 };

/* What stood in a folder's way of being changed, and what a new object in it inherits from it.
 * Looked at once a folder, before the first change. */
enum inherits { INHERITS_ACL = 1 << 0, INHERITS_FLAGS = 1 << 1 };

/* A folder on the way from the anchor to the entry in hand; its handle is in run.stack at the same
 * level. */
struct level {
    struct anchor *anchor; /* the folder is it, or lies below it */
    size_t path_bytes;     /* length of its path in run.here */
    bool created;          /* by this run: nobody looks for anything in it yet */
    bool touched;          /* changed by this run */
    bool has_want;         /* `want` holds */
    uint32_t inherits;     /* enum inherits; known once touched or created */
    uint32_t fields;       /* of `want`, enum metadata_field: to be set when the folder is left */
    uint32_t had_flags;    /* flags that were taken off for the time of the run */
    bool has_batch;        /* writers were given something in it: */
    uint64_t batch;        /* the number of the last batch of those, */
    size_t batch_folder;   /* and which of its folders this is */
    struct os_stat found;  /* as it was before the first change */
    struct metadata want;  /* what it is to become; owned, kept for the next folder of this level */
};

/* Folders that links are made from, kept open. */
struct parent_handle;
struct parents {
    struct parent_handle *items;
    size_t count;
    uint64_t clock;
};

/* A file that further names may be made of. */
struct named {
    uint64_t device, file;
    bool is_made; /* by this run: nothing stands against more names of it */
};

/* Names that are one file: where the file of each group stands. */
struct names {
    struct table files; /* struct named_file: of groups on which the diff has no note (yet) */
    struct table moved; /* struct moved_name */
    struct buffer moved_paths;
    struct parents parents;
    struct buffer
        forward; /* names whose first name had not come yet: varint strings path, first name */
    size_t forward_count;
};

/* Folders on the way to chosen paths that wait for something below them. */
struct passage;
struct passages {
    struct passage *items;
    size_t count, capacity;
};

/* What a source without order has, for --delete. */
struct extras {
    struct table seen;   /* by hash of the path */
    struct buffer roots; /* top-level names, NUL-terminated */
    size_t root_count;
};

/* Metadata that has to wait. */
struct late_folder;
struct writers;
struct older;
struct late {
    struct late_folder *folders; /* unordered archives: set deepest first at the end */
    size_t folder_count, folder_capacity;
    struct buffer flags; /* strings path, u64 device, u64 file, u32 flags */
};

/* Names that came, where two that differ in case alone are one to Windows. */
struct windows_level;
struct windows_names {
    struct windows_level *levels; /* by depth; of a source without order the first alone */
    size_t count;
    struct buffer folded, escaped; /* scratch */
    const char *why;               /* what is wrong with the entry in hand: static text, or NULL */
};

/* Links of Windows whose flavour is to be looked at once all is there. */
struct flavours {
    struct spool now, later;
    struct buffer record, far; /* scratch */
};

/* Links of the destination that are used as folders. Each one's folder is an anchor. */
enum { REDIRECTS_MAX = 16 }; /* each is held open until the end of the run */
struct redirects {
    struct diff_adapter adapter;
    struct run *run;
    os_handle source;           /* what they must lie apart from; OS_NO_HANDLE: nothing */
    char *paths[REDIRECTS_MAX]; /* of the links */
    size_t count;
    const char *why; /* the link in hand is not used: static text */
};

struct run {
    struct transfer *transfer;
    const struct transfer_options *options;
    struct transfer_counts *counts;
    struct watcher *watcher;
    struct source *want, *have;
    struct source *walk;              /* the one that `have` is, or is round */
    const struct source_facts *facts; /* of want */
    struct diff *diff;
    uint32_t ignore; /* enum metadata_field that are no part of equality */
    bool privileged;
    uint32_t time_grain_ns; /* of the destination */
    bool may_be_ntfs; /* a place of the destination is an NTFS volume, which may ignore owners and
                    modes in silence */
    struct run_volume {
        bool asked;
        struct os_volume facts;
        uint64_t device;
    } volume; /* that was asked last what it is */
    char id[ANCHOR_ID_DIGITS + 1];
    uint64_t temporary_count;
    uint64_t faults;    /* errors of single entries so far */
    uint64_t to_delete; /* names that are to be deleted, counted if there is a limit */
    struct run_sharing {
        bool known, clones, copies; /* what the system can do from file to file */
        uint64_t from, to;          /* between these devices */
    } sharing;                      /* that were asked about last */
    bool reading_failed;            /* the failure in hand is the source's, not the destination's */
    bool broken;                    /* the position is lost: the run cannot go on */

    struct anchor *anchors; /* the layout's base first, if there is one, then each place */
    size_t anchor_count;

    struct dirstack stack;
    struct level *levels; /* as many hold as stack.depth; memory of the further ones is kept */
    size_t level_capacity;
    struct buffer here;    /* path of the innermost folder */
    struct buffer name;    /* of the entry in hand, NUL-terminated */
    struct buffer text;    /* scratch */
    struct buffer link;    /* scratch: of the link that is being made */
    struct buffer escaped; /* of the spot that was asked for last */

    uint8_t *block, *other_block; /* APPLY_BLOCK_BYTES each */
    struct pairs xattrs;          /* scratch */
    struct names names;
    struct late late;
    struct flavours flavours;
    struct passages passages;
    struct extras extras;
    struct windows_names windows_names;
    struct redirects redirects;
    struct table made; /* unordered sources: hashes of the paths of folders that were made before an
                          entry spoke of them */
    struct older *older;              /* NULL: no older copies */
    struct writers *writers;          /* NULL: all is done by this thread */
    struct spool trash[3];            /* by enum trash_kind */
    os_handle volumes[APPLY_VOLUMES]; /* a folder on each volume that was written to */
    uint64_t volume_devices[APPLY_VOLUMES];
    size_t volume_count;
};

/* ---- apply.c ---- */

/* Does what the plan says about a pair of entries, or tells it in a dry run, and settles it. -1:
 * the run cannot go on. */
MUST_CHECK int apply_pair(struct run *r, const struct difference_pair *pair, struct error *err);
/* What stands and the source lacks: noted for the delete phase, or told in a dry run, if --delete
 * may act on it; else counted. -1: the run cannot go on. */
MUST_CHECK int apply_extra(struct run *r, const struct difference_pair *pair, struct error *err);
/* Tells the failure of an entry and releases it: 0; or -1 if the run cannot go on after it, err
 * being kept. */
MUST_CHECK int run_failed(struct run *r, struct bytes path, struct error *err);
/* ERROR_REFUSED for the entry in hand. `reason` is static. Returns -1. */
int run_refuse(struct error *err, const char *reason);
/* Tells an error of an entry and counts it. */
void run_error(struct run *r, struct bytes path, const struct error *problem);
/* Tells that a change was made or, in a dry run, would be. */
void run_change(struct run *r, const struct entry *e, const char *action);
/* ERROR_INTERRUPTED and -1 once the user wants to stop; for any thread. */
MUST_CHECK int run_check_stop(const struct run *r, struct error *err);
/* How the destination is walked. */
struct walk_options run_walk_options(const struct run *r);
/* Finds out what the volume of an anchor is, and has the diff go by its grain of time and by what a
 * dead run may have left there. */
MUST_CHECK int run_look_at_place(struct run *r, struct anchor *a, struct error *err);
/* A new temporary name. */
void run_temporary_name(struct run *r, char name[ANCHOR_NAME_BYTES]);

/* ---- plan.c ---- */

enum plan_action {
    PLAN_NOTHING, /* it is as it should be */
    PLAN_KEEP,    /* what is there stays, by option */
    PLAN_REFUSE,  /* not safe, or not asked for */
    PLAN_CREATE,
    PLAN_REPLACE,
    PLAN_COMPARE, /* contents first */
    PLAN_LINK,    /* a further name */
    PLAN_OLDER,   /* a further name of an older copy's file */
    PLAN_METADATA,
    PLAN_ENTER, /* a folder that is there */
};
struct plan {
    enum plan_action action;
    const char *reason; /* static text, of PLAN_REFUSE */
};
/* Decides about a pair with a want. */
struct plan plan_make(struct run *r, const struct difference_pair *pair);
/* A dry run's part of a pair: tells what would be done and settles. -1: the run cannot go on. */
MUST_CHECK int plan_tell(struct run *r, const struct difference_pair *pair, struct error *err);
/* Why the path is not safe to use (SAFETY R3): static text, or NULL if it is. */
const char *plan_bad_name(struct bytes path);
/* True if the folder at that path holds something, or cannot be looked into. */
bool plan_has_content(struct run *r, struct bytes path);
/* True if --delete may act on this path. */
bool plan_may_delete(const struct run *r, struct bytes path);

/* ---- windows_names.c ---- */

/* Finds out whether Windows could open the entry by its name, where that matters:
 * r->windows_names.why. -1 is lack of memory. */
MUST_CHECK int windows_names_check(struct run *r, const struct entry *want, struct error *err);
void windows_names_release(struct windows_names *n);

/* ---- position.c ---- */

/* The anchor of a path, and where in it the entry stands: the parent folder's path from the
 * anchor's folder and the last component, as the disk has them. For the root that is the anchor
 * itself the name is empty. Names are borrowed until the next spot is asked for. */
struct spot {
    struct anchor *anchor;
    struct bytes parent; /* relative to the anchor */
    struct bytes name;
};
MUST_CHECK int position_spot(struct run *r, struct bytes path, struct spot *out, struct error *err);
/* Opens the folder at a spot's parent (the caller closes it). */
MUST_CHECK int position_open_parent(struct run *r, const struct spot *spot, os_handle *out,
                                    struct error *err);
/* Goes to the folder that holds the entry, setting the metadata of folders that are left, and puts
 * the entry's name into r->name. Folders that are missing on the way are made. */
MUST_CHECK int position_enter(struct run *r, struct bytes path, struct error *err);
/* Before the first change below the anchor: its marker. */
MUST_CHECK int position_mark(struct run *r, struct anchor *a, struct error *err);
/* Before an object in the folder is changed, but not the folder: the marker, and the volume for the
 * final sync. */
MUST_CHECK int position_note(struct run *r, struct error *err);
/* Before the first change in the folder: all that, and flags in the way, the right to write. */
MUST_CHECK int position_touch(struct run *r, struct error *err);
/* True if the folder of that path was made for what lies in it, before an entry spoke of it. */
bool position_made(const struct run *r, struct bytes path);
/* Goes on into a folder just opened or made; the handle belongs to the position from then on, also
 * on failure. */
MUST_CHECK int position_push(struct run *r, os_handle folder, const struct os_stat *status,
                             struct error *err);
/* Leaves all folders but the first `depth`. */
MUST_CHECK int position_leave(struct run *r, size_t depth, struct error *err);
/* Leaves all folders of a run that stops here: only what was taken off them (flags, a mode) is put
 * back. */
void position_abandon(struct run *r);
/* True if the innermost folder is on a volume that has reparse points: 1, 0, -1. */
MUST_CHECK int position_on_ntfs(struct run *r, struct error *err);
/* Facts on the volume that the innermost folder is on, borrowed until the position changes; NULL if
 * it cannot be asked. */
const struct os_volume *position_volume(struct run *r);
/* The innermost folder, its anchor and its handle. */
struct level *position_level(struct run *r);
struct anchor *position_anchor(const struct run *r);
os_handle position_folder(const struct run *r);
void position_release(struct run *r);

/* ---- redirects.c: links used as folders ---- */

/* ERROR_USAGE if the source's order does not allow it. */
MUST_CHECK int redirects_init(struct run *r, struct error *err);
void redirects_release(struct redirects *all);

/* ---- placing.c: a new object on its way to its name in the position's folder ---- */

struct placing {
    os_handle folder;
    const char *name;              /* the final one */
    char made[ANCHOR_NAME_BYTES];  /* the temporary one; "" if the object is made under its final
                                      name */
    char aside[ANCHOR_NAME_BYTES]; /* where a folder with content went; "" if none */
    const struct entry *have;      /* what stands there, or NULL */
};
/* How an object may appear: in parts, or at once. */
enum placing_way { PLACING_GROWS, PLACING_WHOLE };
/* Touches the folder and chooses the name to make the object under. */
MUST_CHECK int placing_begin(struct run *r, const struct entry *have, enum placing_way way,
                             struct placing *out, struct error *err);
/* The name to make it under. */
const char *placing_name(const struct placing *p);
/* Renames it to its final name; what stands there gives way. */
MUST_CHECK int placing_end(struct run *r, struct placing *p, struct error *err);
/* Removes what was made. */
void placing_abort(struct placing *p);
/* Takes immutable and append flags off an object of the position's folder, if there are any: 1
 * done, 0 there were none, -1 (ERROR_REFUSED without --clear-flags). */
MUST_CHECK int placing_unlock(struct run *r, const char *name, struct error *err);

/* ---- meta.c ---- */

struct meta_goal {
    const struct metadata *want;
    uint32_t fields; /* enum metadata_field: which of them to set */
    enum entry_kind kind;
    const struct os_stat *now; /* the object as it is */
    bool fresh;                /* just made: has nothing of its own */
    bool noted;                /* a note has what NTFS alone has */
    bool temporary;    /* under a name that it will not keep: meta_set_short_name comes later */
    uint32_t inherits; /* of a fresh one: enum inherits of its folder */
    struct bytes path;
    struct bytes reparse; /* of what stands for a reparse point and is changed in place */
    bool folder_flavour;
};
/* What a thread sets metadata with. */
struct meta_hand {
    const struct run *run;   /* for what is the same from beginning to end */
    struct watcher *watcher; /* told of losses */
    struct pairs *xattrs;    /* scratch */
    uint32_t stuck; /* set: all flags of the object, if some of them have to wait for the end of the
                       run; else 0 */
};
/* Sets metadata; what cannot be set is told as a loss. */
MUST_CHECK int meta_apply(struct meta_hand *h, const struct os_object *o, const struct meta_goal *g,
                          struct error *err);
/* The same for the run's own thread; flags that have to wait are kept. */
MUST_CHECK int meta_set(struct run *r, const struct os_object *o, const struct meta_goal *g,
                        struct error *err);
/* Keeps what NTFS alone has of an entry in a note beside the object, which is on another file
 * system: 0; 1 and *cause (released by the caller) if it cannot be kept; -1. */
MUST_CHECK int meta_keep_note(struct meta_hand *h, const struct os_object *o, const struct entry *e,
                              struct error *cause, struct error *err);
/* Sets the short name of NTFS that the entry in hand has, once it stands under its own name. */
MUST_CHECK int meta_set_short_name(struct run *r, const struct entry *e, struct error *err);
/* Copies metadata but for the names of owners. */
MUST_CHECK int meta_copy(struct metadata *to, const struct metadata *from, struct error *err);
/* Finds out what new objects in a folder inherit from it. */
MUST_CHECK int meta_inherits(struct run *r, os_handle folder, uint32_t *out, struct error *err);
/* Reads the metadata of what is open. */
MUST_CHECK int meta_read(const struct os_object *o, struct metadata *out, struct error *err);

/* ---- file.c, node.c, folder.c ---- */

/* Sets the size of a new file that has all else of its content, where that ends in a hole. */
MUST_CHECK int file_end_content(const struct data *d, os_handle file, struct error *err);
/* Makes a file anew. */
MUST_CHECK int file_place(struct run *r, const struct difference_pair *pair, struct error *err);
/* Compares contents; where they differ the file is replaced: *replaced. */
MUST_CHECK int file_compare(struct run *r, const struct difference_pair *pair, bool *replaced,
                            struct error *err);
/* Replaces a file by a copy of itself with other metadata: it may have names elsewhere. */
MUST_CHECK int file_refresh(struct run *r, const struct difference_pair *pair, struct error *err);
/* Makes a file anew from another one on the disk, metadata and all; its identity to *made. */
MUST_CHECK int file_copy(struct run *r, os_handle folder, const char *name,
                         const struct difference_pair *pair, struct error *err);
/* Makes a symlink, FIFO, socket or device anew. */
MUST_CHECK int node_place(struct run *r, const struct difference_pair *pair, struct error *err);
/* A symbolic link of this system, to be made in any thread. */
struct node_symlink {
    os_handle folder;
    const char *name;
    const struct entry *want;
    uint32_t inherits;   /* enum inherits, of the folder */
    struct buffer *text; /* scratch */
};
/* Makes it, with its metadata: 0; 1 if that cannot be, which was told; -1. */
MUST_CHECK int node_make_symlink(struct meta_hand *h, const struct node_symlink *l,
                                 struct error *err);
/* Makes the folder or goes into it. *skip: what lies below cannot be made. */
MUST_CHECK int folder_apply(struct run *r, const struct difference_pair *pair, struct error *err);

/* ---- passage.c: folders on the way to chosen paths ---- */

void passages_release(struct passages *all);
/* Takes the pair of a folder that is only on the way, and settles it: what is there stays as it is,
 * what is missing waits. 1 taken, 0 it is to be treated as any other, -1: the run cannot go on. */
MUST_CHECK int passage_take(struct run *r, const struct difference_pair *pair, struct error *err);
/* Makes the folders that wait on the way to a path, or tells them in a dry run. -1: the run cannot
 * go on. */
MUST_CHECK int passage_open(struct run *r, struct bytes path, struct error *err);

/* ---- extras.c: --delete where the source has no order ---- */

void extras_init(struct extras *x);
void extras_release(struct extras *x);
/* Remembers an entry of the source, if it matters. */
MUST_CHECK int extras_see(struct run *r, const struct entry *want, struct error *err);
/* After the last entry: goes through the roots that were seen and treats what was not as extra. */
MUST_CHECK int extras_find(struct run *r, struct error *err);

/* ---- names.c ---- */

void names_init(struct names *n);
void names_release(struct names *n);
/* True if others may come to be linked to it. */
bool names_may_grow(const struct run *r, const struct entry *e);
/* Notes what file stands at a name. */
MUST_CHECK int names_keep(struct run *r, const struct hash128 *path, struct named file,
                          struct error *err);
/* The same, if others may come to be linked to it. */
MUST_CHECK int names_note(struct run *r, const struct entry *want, struct named file,
                          struct error *err);
/* What was noted of the entry's group goes to the diff, which has settled the entry and knows how
 * long it is needed. */
MUST_CHECK int names_settle(struct run *r, const struct entry *want, struct error *err);
/* Makes a further name. *outcome tells what became of it. */
MUST_CHECK int names_link(struct run *r, const struct difference_pair *pair,
                          enum diff_outcome *outcome, struct error *err);
/* The same in the position's folder: 1; 0 if this run knows no file of the group; -1. */
MUST_CHECK int names_link_known(struct run *r, const struct difference_pair *pair,
                                enum diff_outcome *outcome, struct error *err);
/* True if data of the group stands at this entry alone, so that it must be kept for the further
 * names though the entry itself cannot be made. */
bool names_need_stand_in(const struct run *r, const struct entry *want);
/* Makes the entry in hand under a temporary name in its anchor, for its group's further names. */
MUST_CHECK int names_stand_in(struct run *r, const struct difference_pair *pair, struct error *err);
/* Where the file of a group stands; borrowed until the next call. */
struct names_place {
    os_handle folder;
    const char *name;
};
/* Finds the place by the path that names the group. */
MUST_CHECK int names_find(struct run *r, struct bytes path, struct names_place *out,
                          struct error *err);
/* The group that a path names has another file from now on, at another path. */
MUST_CHECK int names_exchange(struct run *r, struct bytes path, struct named file, struct bytes at,
                              struct error *err);
/* ERROR_LIMIT if the file of that name can have no further name in the position's folder, where the
 * file system would not say so. */
MUST_CHECK int names_check_limit(struct run *r, os_handle folder, const char *name,
                                 struct error *err);

/* ---- names_waiting.c ---- */

/* Makes the names that waited for a first name. */
MUST_CHECK int names_finish(struct run *r, struct error *err);

/* ---- parents.c ---- */

void parents_init(struct parents *p);
/* Closes all. */
void parents_release(struct parents *p);
/* True if there is room for many, so that one is seldom closed soon. */
bool parents_are_many(const struct parents *p);
/* The folder at a spot's parent, held open from then on for as long as there is room. Borrowed
 * until the next call, and by what is given to the writers until that is done. */
MUST_CHECK int parents_open(struct run *r, const struct spot *spot, os_handle *out,
                            struct error *err);
/* What the folder at a spot's parent is known by. */
struct hash128 parents_key(const struct run *r, const struct spot *spot);
/* Keeps a folder that is open, if there is an unused place: false if it stays the caller's. */
bool parents_keep(struct parents *p, const struct hash128 *key, os_handle folder);

/* ---- inplace.c ---- */

/* Sets the metadata that differs on what stands; what may have other names elsewhere is replaced by
 * a copy: *replaced. */
MUST_CHECK int inplace_metadata(struct run *r, const struct difference_pair *pair, bool *replaced,
                                struct error *err);
/* Sets the mtime of a file again that was found equal by reading, so that its ctime is newer and
 * the next run need not read it. */
MUST_CHECK int inplace_confirm(struct run *r, const struct difference_pair *pair,
                               struct error *err);

/* ---- late.c ---- */

void late_release(struct late *l);
/* Keeps a folder's metadata for the end. */
MUST_CHECK int late_add_folder(struct run *r, struct bytes path, const struct os_stat *status,
                               const struct meta_goal *goal, struct error *err);
/* Keeps flags (all of the object's) for the end. */
MUST_CHECK int late_add_flags(struct run *r, struct bytes path, const struct os_stat *status,
                              uint32_t flags, struct error *err);
MUST_CHECK int late_finish_folders(struct run *r, struct error *err);
/* Flags of the anchors themselves stand against removing their markers: they come last of all. */
enum late_flags_of { LATE_BELOW, LATE_ANCHORS };
MUST_CHECK int late_finish_flags(struct run *r, enum late_flags_of which, struct error *err);

/* ---- flavours.c ---- */

void flavours_init(struct flavours *f);
void flavours_release(struct flavours *f);
/* Keeps a link of Windows that was made for a symbolic link of another system, as one to a file. */
MUST_CHECK int flavours_add(struct run *r, const struct entry *e, const struct os_stat *made,
                            struct error *err);
/* Makes those anew that lead to a folder, now that all is there. -1: the run cannot go on. */
MUST_CHECK int flavours_finish(struct run *r, struct error *err);

/* ---- trash.c ---- */

/* What is to go: what is the user's, by --delete and after a faultless run alone (SAFETY R11),
 * being extra or set aside for something else; or what runs made for themselves. */
enum trash_kind { TRASH_EXTRA, TRASH_ASIDE, TRASH_OWN };
/* Keeps a name for the delete phase. */
MUST_CHECK int trash_add(struct run *r, enum trash_kind kind, struct bytes path,
                         const struct identity *id, struct error *err);
/* The delete phase: removes what was kept. */
MUST_CHECK int trash_empty(struct run *r, struct error *err);
/* True if something may stay that lies in what goes: trash_look tells. */
bool trash_spares(const struct run *r);
/* True for a reparse point that is left out on both sides. */
bool trash_leaves_out(const struct run *r, const struct entry *e);
/* Looks at what deleting a path would remove: how many names, and how many would stay because they
 * are left out (transfer_options.spare). */
struct trash_view {
    uint64_t names, spared;
};
MUST_CHECK int trash_look(struct run *r, struct bytes path, const struct identity *id,
                          struct trash_view *out, struct error *err);
/* Tells at the end of a dry run if more would be deleted than may be. Returns 0. */
int trash_tell_limit(struct run *r);
/* Removes what this run made for itself, as far as that goes: for a run that stops. */
void trash_abandon(struct run *r);
/* Finds what dead runs left below the anchors and keeps it for the delete phase. */
MUST_CHECK int trash_sweep(struct run *r, struct error *err);

#endif
