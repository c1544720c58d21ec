/*
 * batch.h: what one thread makes in folders that the run has made: new files, which it
 * creates, gives content and metadata (times last, as ever: what is not whole cannot be taken for
 * it) and closes; symbolic links; and further names of files that are whole. What it finds out is
 * kept for the run's own thread. Private to writers.c.
 */
#ifndef HOLDFAST_DISK_TRANSFER_BATCH_H
#define HOLDFAST_DISK_TRANSFER_BATCH_H

#include "disk/transfer/writers.h"
#include "os/pool.h"

enum { BATCH_ITEMS = 256, BATCH_FOLDERS = 32, BATCH_CONTENTS = 64, BATCH_BYTES = 512 * 1024 };

/* A folder that they are in. */
struct batch_folder {
    os_handle handle;           /* of the batch's own */
    uint32_t inherits;          /* what new objects in it inherit */
    size_t path_at, path_bytes; /* in batch.paths */
    bool can_glance;         /* it lists numbers, and none of its entries is in an earlier batch */
    size_t names;            /* further names in it that are in this batch */
    bool may_be_linked_from; /* some of its files may get further names: */
    struct hash128 key;      /* parents_key */
    bool is_left;         /* the run has left it: what follows holds, and is to be set when all in
                             it is done */
    uint32_t fields;      /* enum metadata_field */
    struct os_stat found; /* as it is */
    struct metadata want; /* owned, its memory is kept for the next folder */
};

enum batch_kind {
    BATCH_FILE, /* to be made */
    BATCH_NAME, /* a further name to be made and looked at */
    BATCH_SYMLINK,
};
struct batch_item {
    enum batch_kind kind;
    size_t folder;              /* index */
    size_t path_at, path_bytes; /* in batch.paths, with a NUL behind it */
    size_t name_at;             /* in batch.paths: the last component */
    uint64_t device, file;      /* what it is; of a name: what it is to be */
    bool is_seen;               /* of a name: it is what it is to be */
    bool failed;                /* it is not there, and its failure says why, or a loss */
    /* Of names alone. */
    os_handle from; /* the folder of a name of its file, borrowed; OS_NO_HANDLE: the same */
    size_t from_at; /* in batch.paths: that name, and a NUL */
    /* Of symbolic links alone. */
    size_t target_at, target_bytes; /* in batch.paths */
    /* Of files alone. */
    bool may_grow;              /* names may come to be linked to it */
    struct hash128 key;         /* of the path, if it may grow */
    uint64_t bytes;             /* of its content, but for holes */
    size_t data_at, data_bytes; /* in batch.data */
    struct data *content;       /* that is to be read to there first or, if it is larger, copied
                                   through there; owned; or NULL */
    bool reading_failed;        /* the source is to blame */
};

/* What was not exact. */
struct batch_loss {
    size_t item; /* index */
    const char *reason;
    struct error cause; /* ERROR_NONE if there is none */
};

struct batch {
    struct pool_task task;  /* first: does it all */
    struct watcher watcher; /* keeps losses */
    const struct run *run;  /* for what is the same from beginning to end */
    struct batch_folder folders[BATCH_FOLDERS];
    size_t folder_count;
    struct batch_item items[BATCH_ITEMS];
    size_t count;
    /* Of the items of the same index, apart from what all of them need. */
    struct error failures[BATCH_ITEMS]; /* ERROR_NONE but of those that failed */
    struct metadata wants[BATCH_ITEMS]; /* but of names; owned, their memory is kept for the next */
    struct buffer paths;
    uint8_t *data; /* BATCH_BYTES, made when first needed */
    size_t data_bytes;
    size_t contents; /* that are open */
    bool is_heavy;   /* a large one among them is work enough for a thread */
    struct batch_loss *losses;
    size_t loss_count, loss_capacity;
    bool loss_missing;               /* one could not be kept */
    struct pairs xattrs;             /* scratch */
    struct buffer text;              /* the same */
    size_t at;                       /* the item in hand */
    size_t items_used, folders_used; /* so many own memory at most */
};

/* Sets a batch up, whose memory is all zero: not touched before it is needed. */
void batch_init(struct batch *b, const struct run *run);
/* Closes and frees; its task is done or was never given. */
void batch_release(struct batch *b);
/* Empties it for the next items. Losses and failures have been taken out. */
void batch_clear(struct batch *b);
/* The metadata that an item is to have. */
struct metadata *batch_want(struct batch *b, const struct batch_item *it);
/* The path of an item, and of a folder. Borrowed. */
struct bytes batch_path(const struct batch *b, const struct batch_item *it);
struct bytes batch_folder_path(const struct batch *b, const struct batch_folder *f);

/* Adds the folder in hand, which the next item is in; there is room for it. */
MUST_CHECK int batch_add_folder(struct batch *b, os_handle folder, uint32_t inherits,
                                struct error *err);
/* Adds a file of the folder of that index, whose content stands behind the others', or will be read
 * to there; there is room for it. */
MUST_CHECK int batch_add_file(struct batch *b, size_t folder, const struct writers_file *f,
                              struct error *err);
/* Adds a symbolic link in the folder of that index; there is room for it. */
MUST_CHECK int batch_add_symlink(struct batch *b, size_t folder, const struct entry *want,
                                 struct error *err);
/* Adds a further name in the folder of that index; there is room for it. */
MUST_CHECK int batch_add_name(struct batch *b, size_t folder, const struct writers_name *n,
                              struct error *err);

#endif
