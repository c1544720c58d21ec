/*
 * retarget.h: links of one folder that are to lead elsewhere, by their raw targets before and
 * after: what `remap` does, what its journal holds, and what undo does backwards. The list, the
 * journal's bytes, and a source that yields those links with their other targets, for the transfer
 * that makes them.
 */
#ifndef HOLDFAST_TREE_RETARGET_H
#define HOLDFAST_TREE_RETARGET_H

#include "tree/source.h"
#include "tree/watcher.h"

/* What a raw target is. */
enum retarget_form {
    RETARGET_TEXT,    /* the text of a symbolic link */
    RETARGET_REPARSE, /* the buffer of a reparse point */
};

/* One name of a link. */
struct retarget {
    struct bytes path; /* from the folder, which has no name here */
    enum retarget_form form;
    struct bytes from, to; /* raw */
    size_t group;          /* names of one number are one link; 0: it has no other name */
};

struct retarget_slot;
/* Links in the order in which they were added. A zeroed struct has none. */
struct retargets {
    struct retarget_slot *slots;
    size_t count, capacity;
    struct buffer bytes;
};

/* Frees the links and zeroes the struct. A zeroed struct is accepted. */
void retargets_release(struct retargets *list);
/* Adds a copy behind the others. */
MUST_CHECK int retargets_add(struct retargets *list, const struct retarget *link,
                             struct error *err);
/* Link `index`, borrowed until the next one is added. */
struct retarget retargets_at(const struct retargets *list, size_t index);
/* Says that link `index` has other names, which are given the same number. */
void retargets_set_group(struct retargets *list, size_t index, size_t group);

/* Appends the journal of a list: lines of text, of which the last tells how many there are and
 * their hash. `folder` is the absolute path of the folder. */
MUST_CHECK int retargets_write(const struct retargets *list, struct bytes folder,
                               struct buffer *out, struct error *err);
/* Reads a journal into an empty list, and appends the folder's path: ERROR_FORMAT if a byte of it
 * is missing or changed. On error the list is empty. */
MUST_CHECK int retargets_read(struct bytes journal, struct retargets *list, struct buffer *folder,
                              struct error *err);

enum retarget_direction { RETARGET_FORTH, RETARGET_BACK };

struct retarget_options {
    const struct retargets *list; /* borrowed until the close */
    enum retarget_direction direction;
    const char *root;        /* the folder's name in the paths of the source; borrowed */
    struct watcher *watcher; /* is told of each link that is another one than the list says */
};

/* A source of the list's links in `inner`, a walk, each as it is there now but for its target; and
 * of the folders that hold them, before them, so that these get their times back. It comes in no
 * order (source_facts.ordered is false). A link that has its new target already is left out; one
 * that has neither is told as ERROR_CHANGED and left out. Names of one link stay one link, even if
 * a run that was cut short has left some behind. `inner` belongs to the source from then on (on
 * failure it stays the caller's). */
MUST_CHECK int retarget_source_new(struct source *inner, const struct retarget_options *options,
                                   struct source **out, struct error *err);
/* How many names had their new target already, so far. */
uint64_t retarget_source_done(const struct source *source);

#endif
