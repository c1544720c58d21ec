/*
 * walk_state.h: what the files of the walk share; nobody else includes it but marks.c and
 * resolver.c, which ask the walk about the entry that came last.
 */
#ifndef HOLDFAST_DISK_WALK_STATE_H
#define HOLDFAST_DISK_WALK_STATE_H

#include "base/table.h"
#include "disk/dirstack.h"
#include "disk/walk.h"

/* One root: the layout's words, copied, and what was found out when the walk was opened. Text is
 * NUL-terminated behind its size. */
struct walk_root {
    struct buffer name;
    struct buffer place; /* empty and `placed` false for a name below the base */
    bool placed;
    struct buffer absolute_path; /* the real one */
    struct buffer told_path;     /* what facts tell: the layout's word, or absolute_path */
    struct os_volume volume;
};

/* Where a root stands, as handles. A folder that the user named is open itself; anything else is a
 * name in a folder. */
struct walk_place {
    os_handle handle; /* the root folder, or OS_NO_HANDLE */
    os_handle folder; /* the folder that holds `name`, or OS_NO_HANDLE for the walk's base */
    struct buffer name;
};

/* The object behind an entry. */
struct walk_subject {
    os_handle folder; /* borrowed; OS_NO_HANDLE for a root that is open itself */
    const char *name; /* borrowed, in `folder` */
    os_handle open;   /* its own handle, kept for the descent or for reading; or OS_NO_HANDLE */
    struct os_stat status; /* of the handle, once it is open */
    bool loaded;
    bool is_read;     /* its handle was asked for */
    bool opens_first; /* likely a file that will be read: open, it need not be looked at by name */
    bool folder_flavour; /* of a reparse point */
    bool on_ntfs;        /* on a volume that has NTFS' metadata */
    bool is_relinked;    /* what w->note says of it is from a relink file */
};

/* The note that a relink file has of a file's first name. */
struct walk_relinked {
    struct identity file;
    struct bytes note;
};

/* A path and where its last component stands; what an entry begins with. */
struct walk_spot {
    struct bytes path;
    size_t name_offset, depth;
};

/* The names of a folder as the entries have them, in their order, where they are not those of the
 * listing. */
struct walk_alias {
    struct bytes shown;
    size_t index;    /* in the listing */
    bool is_foreign; /* no name is escaped to it, and some have to be: WALK_NAMES_MADE */
};
struct walk_aliases {
    struct walk_alias *items; /* as many as the listing has; NULL: names are as they are listed */
    struct buffer text;
};

/* A folder on the way down. Its handle is in `folders`, at the same level. */
struct walk_level {
    struct os_listing listing;
    struct walk_aliases aliases;
    size_t next;            /* of its names */
    size_t path_bytes;      /* length of the folder's path */
    size_t name_offset;     /* of its last component */
    struct error *unlisted; /* why names are missing, told behind the last one; owned; or NULL */
};

struct walk {
    struct source source;
    struct walk_options options;
    struct identity *leave_out; /* options.leave_out, owned */
    struct buffer base_path;    /* empty if there is none */
    os_handle base;             /* opened when first needed */
    struct walk_root *roots;
    size_t root_count;
    struct root_fact *root_facts;
    struct source_facts facts;

    size_t root_next;
    uint64_t root_device; /* of the root that the stream is in */
    struct walk_place root_place;
    struct dirstack folders;
    struct walk_level *levels;
    size_t depth, level_capacity;
    struct os_listing spare; /* memory for the next folder's names */
    struct buffer path;      /* of the entry that the stream is at */
    size_t name_offset;
    bool reads_files;                   /* the file that came last was read */
    bool descend;                       /* into that entry, at the next call */
    bool is_apart;                      /* it is a folder that a link of its name leads to */
    struct walk_subject current, found; /* by next, by find */
    struct walk_subject *last;          /* which of them came last */

    struct walk_root find_root;   /* a root that the layout does not name, below the base */
    struct buffer find_path;      /* of the found entry, NUL-terminated */
    struct buffer find_name;      /* its last component as the disk has it, NUL-terminated */
    struct buffer find_parent;    /* path of find_folder */
    os_handle find_folder;        /* kept: entries cluster by folder */
    struct walk_place find_place; /* of a found root */

    struct entry entry; /* what was handed out last; its xattrs' memory is kept */
    struct buffer target, reparse;
    struct buffer note; /* ntfs_note.h */
    struct pairs kept;  /* scratch */
    bool sees_notes;
    struct table relinked; /* struct walk_relinked: notes for the further names of a file */
    struct table doubles;  /* struct identity: reparse points of the folder flavour that the system
                              counts more than one name of */
    struct walk_volume {
        bool asked, has_ntfs, streams_asked;
        uint64_t device;
    } volume;             /* that was asked last what it is */
    struct error problem; /* entry.problem */
    struct os_accounts *accounts;
};

/* The walk behind a source, or NULL if it is something else. */
struct walk *walk_of(struct source *s);

/* True for what ends the stream instead of being an entry's trouble: no memory, or the user wants
 * to stop. */
bool walk_is_fatal(struct error *problem, struct error *err);

/* Makes an entry of w->current, which the stream is at. As walk_entry_read. */
MUST_CHECK int walk_take(struct walk *w, struct error *err);

/* ---- walk_root.c ---- */

/* Finds a root: 1; 0 if it is not there; -1. Missing or unreadable is told by err in both cases. */
int walk_place_open(struct walk *w, const struct walk_root *r, struct walk_place *out,
                    struct error *err);
void walk_place_close(struct walk_place *p);
/* Points a subject at a place, which must outlive it; the handle, if there is one, moves to the
 * subject. */
void walk_subject_at(struct walk *w, struct walk_place *p, struct walk_subject *out);
/* Copies the layout and finds out the facts. */
MUST_CHECK int walk_roots_init(struct walk *w, const struct disk_layout *layout, struct error *err);
void walk_roots_release(struct walk *w);

/* ---- walk_entry.c ---- */

/* Reads the status of `t` (the target of a link, too) and makes w->entry of it: 1; 0 if it is left
 * out (leave_out); -1: fatal. What cannot be read makes an entry with PROBLEM_ENTRY. */
MUST_CHECK int walk_entry_read(struct walk *w, struct walk_subject *t, struct walk_spot spot,
                               struct error *err);
/* Makes w->entry an item with that scope; the problem moves into the walk. */
void walk_entry_problem(struct walk *w, struct walk_spot spot, enum problem_scope scope,
                        struct error *problem);

/* ---- walk_names.c ---- */

/* Finds what the names of a level's listing are told as. */
MUST_CHECK int walk_aliases_make(const struct walk *w, struct walk_level *level, struct error *err);
void walk_aliases_release(struct walk_aliases *a);
/* The name at that place of a folder's order, and how the disk has it. Both are borrowed. */
struct bytes walk_level_name(const struct walk_level *level, size_t place, const char **on_disk);
/* What the folder tells of its kind. */
enum os_kind walk_level_hint(const struct walk_level *level, size_t place);
/* True if no path leads to the name at that place. */
bool walk_level_is_foreign(const struct walk_level *level, size_t place);
/* Appends a path as the disk has it. */
MUST_CHECK int walk_append_path(const struct walk *w, struct bytes path, struct buffer *out,
                                struct error *err);

/* ---- walk_load.c ---- */

/* Opens the folder or file of the subject and checks that it is the one that was looked at; nothing
 * to do if it is open. */
MUST_CHECK int walk_subject_open(struct walk_subject *t, enum os_kind kind, struct error *err);
void walk_subject_close(struct walk_subject *t);
int walk_load(struct source *s, const struct entry **out, struct error *err);
int walk_open_data(struct source *s, struct data **out, struct error *err);

/* ---- walk_find.c ---- */

int walk_find(struct source *s, struct bytes path, const struct entry **out, struct error *err);
void walk_find_release(struct walk *w);

#endif
