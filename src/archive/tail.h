/*
 * tail.h: what stands behind the tar stream for those who look: a string of blocks, each with type,
 * version, checksum and (where it helps) compression, and a fixed trailer that says where it
 * begins. Now: roots, counts, losses, frame table. The index of entries is one more block type
 * later. Layout: docs/format.md.
 *
 * Where it lives (DESIGN 6): .tar.zst: zstd skippable frames and a seek table; .tar.gz: empty
 * members with extra fields; .tar: bytes after the end blocks. output.h and input.h know that; this
 * file knows the bytes alone.
 */
#ifndef HOLDFAST_ARCHIVE_TAIL_H
#define HOLDFAST_ARCHIVE_TAIL_H

#include "base/hash.h"
#include "tree/source.h"

/* How the tar stream is kept. */
enum container { CONTAINER_PLAIN, CONTAINER_GZIP, CONTAINER_ZSTD };

/* One independently decompressible piece of the archive. */
struct frame {
    uint64_t stored_offset, stored_bytes; /* in the archive file */
    uint64_t raw_offset, raw_bytes;       /* in the tar stream */
    uint64_t checksum;                    /* XXH3-64 of the stored bytes */
};

/* A named inexactness. */
struct tail_loss {
    struct bytes path;
    struct bytes reason;
};

struct tail {
    enum container container;     /* what the frames' stored offsets mean; an archive that was
                                     compressed anew has the tail of its former container */
    struct source_facts facts;    /* `sequential` is a matter of the reader and false here */
    uint64_t entries, file_bytes; /* counts over the whole archive */
    uint64_t kinds[8];            /* entries of each enum entry_kind */
    uint64_t further_names;
    uint64_t raw_bytes;      /* length of the tar stream with its end blocks */
    struct hash128 raw_hash; /* XXH3-128 of the tar stream */
    const struct frame *frames;
    size_t frame_count;
    const struct tail_loss *losses;
    size_t loss_count;
};

enum { TAIL_TRAILER_BYTES = 48 };

/* Appends blocks and trailer. Frames must ascend and not overlap (else ERROR_USAGE). */
MUST_CHECK int tail_encode(struct buffer *out, const struct tail *t, struct error *err);

/* True if the first four bytes of `bytes` may begin a tail. */
bool tail_may_begin(struct bytes bytes);

/* Reads a trailer (the last TAIL_TRAILER_BYTES of the tail's bytes): 1 and the length of the whole
 * tail, 0 if it is none of ours, -1 if it is ours and damaged. */
int tail_trailer(struct bytes trailer, uint64_t *tail_bytes, struct error *err);

/* Decodes a whole tail; what it points to lives in *out until tail_free. */
struct tail_memory;
MUST_CHECK int tail_decode(struct bytes bytes, struct tail_memory **out, struct error *err);
const struct tail *tail_of(const struct tail_memory *m);
void tail_free(struct tail_memory *m);

#endif
