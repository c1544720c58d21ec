/*
 * tarball.h: tar archives in memory, put together block by block without the program's own encoder,
 * so that a test can make any header, right or wrong.
 */
#ifndef SUPPORT_TARBALL_H
#define SUPPORT_TARBALL_H

#include "archive/tar.h"

/* Bytes of a header block by their offset (POSIX.1-2017 pax, ustar Interchange Format). */
enum {
    AT_NAME = 0,
    AT_MODE = 100,
    AT_UID = 108,
    AT_GID = 116,
    AT_SIZE = 124,
    AT_MTIME = 136,
    AT_CHECKSUM = 148,
    AT_TYPE = 156,
    AT_LINK = 157,
    AT_MAGIC = 257,
    AT_UNAME = 265,
    AT_GNAME = 297,
    AT_MAJOR = 329,
    AT_MINOR = 337,
    AT_PREFIX = 345,
    AT_SLOTS = 386,
    AT_EXTENDED = 482,
    AT_REAL_SIZE = 483,
};

struct tarball {
    struct tar_input input; /* first, so that it is the input of a decoder */
    struct buffer bytes;
    size_t at; /* what the decoder took */
    struct tar_decoder *decoder;
};

void tarball_init(struct tarball *t);
void tarball_release(struct tarball *t);

/* Appends a sound ustar header and returns where it begins in t->bytes. */
size_t tarball_header(struct tarball *t, const char *name, char type, unsigned long size);
/* Changes bytes of the header at `start` and its checksum. */
void tarball_patch(struct tarball *t, size_t start, size_t offset, struct bytes bytes);
/* Makes the header at `start` a v7 one, or GNU's. */
void tarball_make_v7(struct tarball *t, size_t start);
void tarball_make_gnu(struct tarball *t, size_t start);
/* Appends a body padded to whole blocks. */
void tarball_body(struct tarball *t, struct bytes body);
/* Appends a header of a body's own size, and the body. */
void tarball_member(struct tarball *t, const char *name, char type, struct bytes body);
/* Appends an x header (or another type) of these records, each "key=value" with its length put
 * before it. */
void tarball_extended(struct tarball *t, char type, const struct bytes *records, size_t count);
/* The same for one record of text. */
void tarball_record(struct tarball *t, const char *record);
/* Appends zero blocks. */
void tarball_zeros(struct tarball *t, size_t blocks);

/* Opens a decoder on the whole. */
void tarball_open(struct tarball *t);
/* The next member, which must be there; the end; an error of that kind. */
const struct tar_member *tarball_next(struct tarball *t);
void tarball_ends(struct tarball *t);
void tarball_fails(struct tarball *t, enum error_kind kind);
/* The data of the present member must be this. */
void tarball_has_data(struct tarball *t, struct bytes data);

#endif
