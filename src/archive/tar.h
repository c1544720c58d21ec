/*
 * tar.h: the strict tar codec. Writes one dialect (DESIGN 6), reads all: v7, ustar, pax, GNU with
 * its sparse forms (old GNU 'S', pax 0.0, 0.1, 1.0), star's and libarchive's SCHILY.* and
 * LIBARCHIVE.xattr.* keys. A malformed header is an error, never skipped. Encoder and decoder stand
 * side by side; they are inverse over what the dialect holds.
 *
 * Sources: POSIX.1-2017 pax (Extended Description), GNU tar manual "Tar Internals", star(5).
 */
#ifndef HOLDFAST_ARCHIVE_TAR_H
#define HOLDFAST_ARCHIVE_TAR_H

#include "tree/entry.h"

enum tar_type {
    TAR_FILE,
    TAR_HARD_LINK,
    TAR_SYMLINK,
    TAR_CHAR_DEVICE,
    TAR_BLOCK_DEVICE,
    TAR_DIRECTORY,
    TAR_FIFO,
    TAR_OTHER, /* a type that we do not know: `type_flag` tells; its data, if any, can be read like
                  a file's */
};

/* One member, borrowed bytes all. Given to the encoder, or got from the decoder (valid until its
 * next member). */
struct tar_member {
    enum tar_type type;
    char type_flag;    /* as in the header, for messages */
    struct bytes path; /* as stored; for directories without the trailing slash */
    struct bytes link; /* target of a symlink, path of a hard link's first name */
    uint64_t size;     /* of a file: logical bytes */
    bool sparse;       /* extents say where data is; else the whole size is data */
    const struct extent *extents;
    size_t extent_count;
    struct metadata meta; /* owner names are borrowed, too; xattrs hold ACLs in binary form */
    uint32_t device_major, device_minor;
    struct bytes comment; /* the pax comment record, or empty */
    bool acl_lost;   /* got: an ACL was there that cannot be used: by names alone, or malformed */
    bool flags_lost; /* got: SCHILY.fflags held a word that stands for no flag of ours */
};

enum { TAR_BLOCK_BYTES = 512 };

/* Bounds against hostile headers (SAFETY R14): what is larger is ERROR_LIMIT by name. */
enum {
    TAR_MAX_PATH_BYTES = 1 << 20,
    TAR_MAX_EXTENDED_BYTES = 16 << 20, /* one pax header */
    TAR_MAX_EXTENTS = 1 << 20,
};

/* Appends all header blocks of a member: GNU L/K where path or target do not fit, an x header for
 * what ustar cannot say, the ustar or GNU header with its sparse map. The caller writes the data of
 * the extents behind it, in order, and pads to TAR_BLOCK_BYTES. */
MUST_CHECK int tar_encode(struct buffer *out, const struct tar_member *m, struct error *err);

/* How many data bytes follow the header of such a member, without padding. */
uint64_t tar_stored_bytes(const struct tar_member *m);

/* Appends the two zero blocks of the end and pads the archive, `archive_bytes` long so far, to a
 * record of 10,240 bytes. */
MUST_CHECK int tar_encode_end(struct buffer *out, uint64_t archive_bytes, struct error *err);

/* Where the decoder gets its bytes: takes the next ones, at most `most` and none only at the end of
 * the input, and shows them: *out is borrowed until the next call. */
struct tar_input {
    int (*take)(struct tar_input *in, size_t most, struct bytes *out, struct error *err);
};

struct tar_decoder;
/* `in` is borrowed. */
MUST_CHECK int tar_decoder_new(struct tar_input *in, struct tar_decoder **out, struct error *err);
void tar_decoder_free(struct tar_decoder *d);

/* Skips what is left of the last member's data and decodes the next: 1, 0 at the end-of-archive
 * blocks, -1. An input that ends without two zero blocks is ERROR_FORMAT
 * ("cut short"). After ERROR_REFUSED or ERROR_LIMIT (one member is bad: a name with NUL, too long:
 * error's path names it) the next call goes on; after other errors it does not. */
MUST_CHECK int tar_next(struct tar_decoder *d, const struct tar_member **out, struct error *err);

/* Reads the member's stored data (of a sparse file: its extents one after the other); *got is 0 at
 * its end. */
MUST_CHECK int tar_read(struct tar_decoder *d, void *bytes, size_t capacity, size_t *got,
                        struct error *err);

/* Takes some of the member's stored data where it stands, at most `most` bytes, none at its end:
 * *out is borrowed until the decoder's next call. */
MUST_CHECK int tar_take(struct tar_decoder *d, size_t most, struct bytes *out, struct error *err);

/* Bytes of the tar stream taken so far: where the next header begins after a member was read to its
 * end. */
uint64_t tar_position(const struct tar_decoder *d);

/* True if a 512-byte block looks like a tar header (its checksum is right). */
bool tar_is_header(const uint8_t *block);

#endif
