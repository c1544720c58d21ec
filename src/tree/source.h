/*
 * source.h: a stream of entries: a walked disk, an archive, or a wrapper round another source.
 *
 * Order is canonical (entry.h: path_compare) unless `facts->ordered` says otherwise. A source is
 * used by one thread; what open_data hands out may outlive the entry and be read elsewhere, unless
 * `facts->sequential` says that data comes in order only.
 */
#ifndef HOLDFAST_TREE_SOURCE_H
#define HOLDFAST_TREE_SOURCE_H

#include "tree/entry.h"

/* Where data_read puts bytes. */
struct data_span {
    void *bytes;
    size_t capacity;
};

/* The content of one file. Opened by a source, used by anyone, closed with data_close. */
struct data;
struct data_ops {
    /* Reads up to `capacity` bytes at `offset` of the logical content into `bytes`; *got is 0 at
     * the end only. Holes read as zeros. A sequential source's data accepts ascending offsets only
     * and skips what lies between. */
    int (*read)(struct data *d, uint64_t offset, struct data_span span, size_t *got,
                struct error *err);
    /* Shows data of an extent at `offset` where it stands, at least a byte and at most `most`,
     * which lie in the extent; *out is borrowed until the data is used again. NULL: cannot. */
    int (*view)(struct data *d, uint64_t offset, size_t most, struct bytes *out, struct error *err);
    /* Says whether the file changed since it was opened (fstat: size, mtime, ctime, R9): 1 changed,
     * 0 not, -1. NULL: cannot change. */
    int (*changed)(struct data *d, struct error *err);
    /* Takes size, times and extents anew, as they are now; on failure all stays as it was. NULL:
     * cannot change. */
    int (*refresh)(struct data *d, struct error *err);
    void (*close)(struct data *d);
};
struct data {
    const struct data_ops *ops;
    uint64_t size; /* logical bytes, as it was when it was opened */
    const struct extent
        *extents; /* ascending, not touching, not empty: the ranges with data. Owned by the data */
    size_t extent_count; /* one extent over everything for a file without holes; 0 if all is hole or
                            size is 0 */
    bool has_times;      /* mtime and ctime hold, as they were when it was opened (disk sources) */
    struct timestamp mtime, ctime;
    intptr_t os_handle; /* the open file of a disk source, for cloning; -1 elsewhere */
};

/* One root of a source: a top-level name and where it stood. Text is NUL-terminated and may be ""
 * where not known. */
struct root_fact {
    const char *name;          /* the top-level name in entry paths; any bytes but '/' and NUL */
    const char *absolute_path; /* on the host it was read on */
    const char *file_system;   /* "ext4", ... */
    const char *volume;        /* volume identity in text: UUID, serial, label where known */
};
struct source_facts {
    const struct root_fact *roots;
    size_t root_count;
    const char *host_system; /* "linux", "windows" */
    bool ordered;            /* yields canonical order, each path once */
    bool sequential; /* data must be read before the next entry is asked for, in ascending order */
    bool may_break_off; /* of a sequential source: a content that cannot be read ends the stream
                           soon, and is no reason to give up what came before (salvage) */
    bool names_known;   /* link_count or `shared` can be trusted: a file not marked has no further
                           name in this stream */
    const struct bytes
        *lost; /* paths that could not be read when the source was made; complete after its last
                * entry. What is missing at or below them is not known to be gone */
    size_t lost_count;
    uint64_t time_grain_ns; /* the stored times are cut to this; 0 and 1 are exact */
    bool complete_metadata; /* what an entry's xattrs, ACLs and flags do not say is not there (holds
                               for disks and our own archives) */
};

struct source;
struct source_ops {
    int (*next)(struct source *s, const struct entry **out, struct error *err);
    int (*load)(struct source *s, const struct entry **out, struct error *err);
    void (*skip)(struct source *s);
    void (*seek)(struct source *s, struct bytes path);
    int (*find)(struct source *s, struct bytes path, const struct entry **out, struct error *err);
    int (*open_data)(struct source *s, struct data **out, struct error *err);
    const struct source_facts *(*facts)(struct source *s);
    void (*close)(struct source *s);
};
struct source {
    const struct source_ops *ops;
};

/* The next entry: 1 and *out (borrowed until the next source_next, source_find or source_close), 0
 * at the end, -1 if the stream cannot go on. Trouble with one entry is an entry with a problem, not
 * -1. */
MUST_CHECK int source_next(struct source *s, const struct entry **out, struct error *err);

/* Completes the metadata of the entry that came last with what costs extra system calls (xattrs,
 * ACLs, file flags): *out is the same entry, now complete. What cannot be read makes it
 * PROBLEM_METADATA. Sources that know all from the start just return it. */
MUST_CHECK int source_load(struct source *s, const struct entry **out, struct error *err);

/* Does not descend into the folder that came last. */
void source_skip(struct source *s);

/* True if the source finds its way to a path without reading all before it. */
bool source_can_seek(const struct source *s);

/* Says that no entry before `path` in the order is wanted: some or all of them may be left out. For
 * sources that can seek. */
void source_seek(struct source *s, struct bytes path);

/* Looks one path up, for partners of unordered sources: 1, 0 (not there), -1. Only sources of a
 * disk can; others have NULL. */
MUST_CHECK int source_find(struct source *s, struct bytes path, const struct entry **out,
                           struct error *err);

/* Opens the content of the file that came last; the caller closes it. On a sequential source,
 * before the next source_next. Fails with ERROR_UNSUPPORTED for a further name of an archive's
 * group, whose data stands at its first name. */
MUST_CHECK int source_open_data(struct source *s, struct data **out, struct error *err);

/* Facts about the whole, borrowed. Of an archive on a pipe they are known before the first entry,
 * too. */
const struct source_facts *source_facts(struct source *s);

/* Closes the source and all that it wraps. NULL is accepted. */
void source_close(struct source *s);

/* See struct data_ops. */
MUST_CHECK int data_read(struct data *d, uint64_t offset, struct data_span span, size_t *got,
                         struct error *err);
/* Reads exactly as much as there is room for; ERROR_CHANGED if the content ends before. */
MUST_CHECK int data_read_full(struct data *d, uint64_t offset, struct data_span span,
                              struct error *err);
MUST_CHECK int data_view(struct data *d, uint64_t offset, size_t most, struct bytes *out,
                         struct error *err);
bool data_can_view(const struct data *d);
MUST_CHECK int data_changed(struct data *d, struct error *err);
MUST_CHECK int data_refresh(struct data *d, struct error *err);
void data_close(struct data *d);

#endif
