/*
 * removal.h: removes a name and all that lies below it, by held folders, links as links, never onto
 * another device (SAFETY R11); or looks what that would remove.
 */
#ifndef HOLDFAST_DISK_REMOVAL_H
#define HOLDFAST_DISK_REMOVAL_H

#include "os/os.h"
#include "tree/entry.h"

enum removal_mode {
    REMOVAL_DO,
    REMOVAL_LOOK, /* removes nothing */
};

/* A name that a removal came to. */
struct removal_name {
    struct bytes below; /* its path */
    os_handle folder;   /* that holds it */
    const char *name;
    bool is_folder;
};

/* What stands at a name. Paths that the callbacks get begin with that name. */
struct removal {
    os_handle folder;
    const char *name;
    struct identity identity; /* what was seen there: anything else stays */
    enum removal_mode mode;
    bool clear_flags;
    uint64_t removed; /* names that went or would go, counted up */
    uint64_t spared;  /* names that stay by `spares`, counted up, without what lies below them */
    /* True for what is to stay, with all below it and the folders around it. NULL: nothing. */
    bool (*spares)(void *context, const struct removal_name *n);
    /* Told of each name that went or would go. NULL: nobody. */
    void (*told)(void *context, struct bytes below, enum os_kind kind);
    /* Told of each that cannot be removed or looked at; releases the problem. */
    void (*failed)(void *context, struct bytes below, struct error *problem);
    /* True once the user wants to stop: what lies below stays, and that is told. NULL: never. */
    bool (*stopped)(void *context);
    void *context;
};
/* Removes it, or looks. -1: something stays that should not, and `failed` was told. */
MUST_CHECK int removal_run(struct removal *m);

#endif
