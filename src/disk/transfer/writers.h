/*
 * writers.h: threads that make new files, symbolic links and further names in folders that the run
 * made. Private to the transfer.
 */
#ifndef HOLDFAST_DISK_TRANSFER_WRITERS_H
#define HOLDFAST_DISK_TRANSFER_WRITERS_H

#include "disk/transfer/apply.h"

/* Starts with no thread; `threads` at most. */
MUST_CHECK int writers_new(struct run *r, size_t threads, struct error *err);
/* Frees; writers_settle or writers_abandon came before. NULL is accepted. */
void writers_free(struct writers *w);
/* True if the writers may have a file: one whose content and metadata ask for nothing special, that
 * is made under its final name in a folder that this run made. */
bool writers_want(const struct run *r, const struct difference_pair *pair, const struct data *d);
/* A process that may have so many handles leaves it to the writers to hold contents open. */
enum { WRITERS_HANDLES_MOST = 2048 };
/* True if they read a content themselves: one that can be read anywhere, and of which enough may be
 * open. */
bool writers_read(const struct run *r, const struct data *d);
/* Room for the content of the next file. What had no room any more is passed on; what comes back is
 * told. -1: the run cannot go on. */
MUST_CHECK int writers_room(struct run *r, size_t bytes, uint8_t **out, struct error *err);
/* A file that is to be made in the position's folder. */
struct writers_file {
    const struct entry *want;
    size_t room;          /* bytes of the room that was given last */
    struct data *content; /* NULL: the room holds the content. Else it is still to be read, through
                             the room; the writers' on success */
    uint64_t bytes;       /* of the content, but for holes */
};
MUST_CHECK int writers_add(struct run *r, const struct writers_file *f, struct error *err);
/* True if the writers may make a further name: in a folder that this run made. */
bool writers_want_name(const struct run *r, const struct difference_pair *pair);
/* A further name to be made in the position's folder. */
struct writers_name {
    const struct entry *want;
    struct named file; /* whole, and what the name is to be one of */
    os_handle from;    /* the folder of one of its names, borrowed until it is made (parents_open);
                          OS_NO_HANDLE: the position's */
    const char *from_name;
};
MUST_CHECK int writers_add_name(struct run *r, const struct writers_name *n, struct error *err);
/* True if the writers may make a symbolic link of this system: in a folder that this run made, no
 * name will be linked to it, and the file system has such links. */
bool writers_want_symlink(const struct run *r, const struct difference_pair *pair);
/* The run's own thread has made one in the position's folder: its file system has them. */
void writers_note_symlink(struct run *r);
MUST_CHECK int writers_add_symlink(struct run *r, const struct entry *want, struct error *err);
/* A mark: what is given to the writers next is done once writers_reach has been there. */
uint64_t writers_mark(const struct run *r);
MUST_CHECK int writers_reach(struct run *r, uint64_t mark, struct error *err);
/* The position leaves a folder of this run's making: 1 if the writers have something in it; its
 * metadata will be set when that is done. 0: they have nothing, -1. */
MUST_CHECK int writers_leave(struct run *r, const struct level *level, struct error *err);
/* Waits for the file of a path, if the writers have it: it is whole and noted (names_note) then, or
 * gone, which was told. -1: the run cannot go on. */
MUST_CHECK int writers_wait(struct run *r, const struct hash128 *path, struct error *err);
/* Waits for all. -1: the run cannot go on. */
MUST_CHECK int writers_settle(struct run *r, struct error *err);
/* Waits for all in a run that stops. */
void writers_abandon(struct run *r);
/* Writes a block of a file that the run's own thread makes, beside it where there are writers: the
 * block stays untouched until the next call but one, or until writers_flush, which must follow
 * before the file is closed. -1: this block, or the one before it, could not be written. */
MUST_CHECK int writers_write(struct run *r, os_handle file, uint64_t offset, struct bytes block,
                             struct error *err);
MUST_CHECK int writers_flush(struct run *r, struct error *err);

#endif
