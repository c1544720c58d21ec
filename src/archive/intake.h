/*
 * intake.h: what a backup takes in: the entries of a source, complete, with the contents of small
 * files read, the larger ones open, and what the base has of them. A thread of its own works ahead
 * of the caller, by a bounded count of bytes and of open files.
 */
#ifndef HOLDFAST_ARCHIVE_INTAKE_H
#define HOLDFAST_ARCHIVE_INTAKE_H

#include "archive/reading.h"
#include "archive/unchanged.h"
#include "tree/source.h"

/* What an item has of its entry's content. */
enum intake_content {
    INTAKE_NOTHING, /* there is none: no file, an empty one, a further name, an entry that is not to
                       be used */
    INTAKE_KNOWN,   /* it is the one that the base has: `stored` */
    INTAKE_READ,    /* `bytes` are its extents, one after the other; `reading` is how it went */
    INTAKE_OPEN,    /* `data` can be read */
    INTAKE_FAILED,  /* the file could not be opened: `trouble` */
};

struct intake_item {
    struct entry entry; /* loaded, but for further names */
    bool stands_in; /* a further name of a file that could not be had under its first name: loaded,
                       with content */
    enum intake_content content;
    struct data *data; /* READ: what it was when it was read, and cannot be read any more. OPEN:
                          open, the intake's */
    struct bytes bytes;
    const struct reading *reading;
    const struct error *trouble;
    const struct stored_content *stored; /* what the base has under that name, or NULL */
};

struct intake_options {
    struct unchanged *base; /* used by the intake alone from now on; or NULL */
    bool reads;             /* contents are read; else all files are only opened */
};

struct intake;
/* The source (borrowed) is used by the intake alone until that is freed, but for its facts. It must
 * not be sequential. */
MUST_CHECK int intake_new(struct source *source, const struct intake_options *options,
                          struct intake **out, struct error *err);
/* Ends the thread. NULL is accepted. */
void intake_free(struct intake *in);

/* The next item: 1 and *out (until the next call; the caller may replace what `data` holds, not
 * close it), 0 at the end, -1 if the source cannot go on. */
MUST_CHECK int intake_next(struct intake *in, struct intake_item **out, struct error *err);

#endif
