/*
 * batch.h: small new files that one thread makes, in folders that the run has made: it creates
 * them, gives them content and metadata (times last, as ever: what is not whole cannot be taken for
 * it) and closes them. What it finds out is kept for the run's own thread. Private to writers.c.
 */
#ifndef HOLDFAST_DISK_BATCH_H
#define HOLDFAST_DISK_BATCH_H

#include "disk/apply.h"
#include "os/pool.h"

enum { BATCH_FILES = 128, BATCH_FOLDERS = 32, BATCH_BYTES = 512 * 1024 };

/* A folder that files are made in. */
struct batch_folder {
    os_handle handle;           /* of the batch's own */
    uint32_t inherits;          /* what new objects in it inherit */
    size_t path_at, path_bytes; /* in batch.paths */
    bool is_left;         /* the run has left it: what follows holds, and is to be set when all
                             its files are done */
    uint32_t fields;      /* enum metadata_field */
    struct os_stat found; /* as it is */
    struct metadata want; /* owned, its memory is kept for the next folder */
};

/* A file on its way. */
struct batch_file {
    size_t folder;              /* index */
    bool may_grow;              /* names may come to be linked to it */
    struct hash128 key;         /* of the path, if it may grow */
    struct metadata want;       /* owned, its memory is kept for the next file */
    size_t path_at, path_bytes; /* in batch.paths, with a NUL behind it */
    size_t name_at;             /* in batch.paths: the last component */
    size_t data_at, data_bytes; /* in batch.data */
    bool failed;                /* it is not there, and `failure` says why */
    struct os_stat made;        /* else: what was made */
    struct error failure;
};

/* What was not exact. */
struct batch_loss {
    size_t file; /* index */
    const char *reason;
    struct error cause; /* ERROR_NONE if there is none */
};

struct batch {
    struct pool_task task;  /* first: makes the files */
    struct watcher watcher; /* keeps losses */
    const struct run *run;  /* for what is the same from beginning to end */
    struct batch_folder folders[BATCH_FOLDERS];
    size_t folder_count;
    struct batch_file files[BATCH_FILES];
    size_t count;
    struct buffer paths;
    uint8_t *data; /* BATCH_BYTES, made when first needed */
    size_t data_bytes;
    struct batch_loss *losses;
    size_t loss_count, loss_capacity;
    bool loss_missing;   /* one could not be kept */
    struct pairs xattrs; /* scratch */
    size_t at;           /* the file that is being made */
};

/* Sets an empty batch up. */
void batch_init(struct batch *b, const struct run *run);
/* Closes and frees; its task is done or was never given. */
void batch_release(struct batch *b);
/* Empties it for the next files. Losses and failures have been taken out. */
void batch_clear(struct batch *b);
/* The path of a file, and of a folder. Borrowed. */
struct bytes batch_path(const struct batch *b, const struct batch_file *f);
struct bytes batch_folder_path(const struct batch *b, const struct batch_folder *f);

/* Adds the folder in hand, which the next file is to be made in; there is room for it. */
MUST_CHECK int batch_add_folder(struct batch *b, os_handle folder, uint32_t inherits,
                                struct error *err);
/* Adds a file of the folder of that index, whose content of `bytes` stands behind the others';
 * there is room for it. */
MUST_CHECK int batch_add_file(struct batch *b, size_t folder, const struct entry *want,
                              size_t bytes, struct error *err);

#endif
