/*
 * tail.h: what stands behind the tar stream for those who look: a string of blocks, each with type,
 * version, checksum and (where it helps) compression, and a fixed trailer that says where it
 * begins: roots, counts, losses, frame table, and the index of entries. Layout: docs/format.md.
 *
 * Where it lives (DESIGN 6): .tar.zst: zstd skippable frames and a seek table; .tar.gz: empty
 * members with extra fields; .tar: bytes after the end blocks. output.h and input.h know that; this
 * file knows the bytes alone. Both ways they pass in pieces: the index may be large.
 */
#ifndef HOLDFAST_ARCHIVE_TAIL_H
#define HOLDFAST_ARCHIVE_TAIL_H

#include "archive/index_writer.h"
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
    uint64_t kinds[ENTRY_KINDS];  /* entries of each enum entry_kind */
    uint64_t further_names;
    uint64_t raw_bytes;      /* length of the tar stream with its end blocks */
    struct hash128 raw_hash; /* XXH3-128 of the tar stream */
    const struct frame *frames;
    size_t frame_count;
    const struct tail_loss *losses;
    size_t loss_count;
    struct hash128 identity;              /* got: of the archive by its index (index.h) */
    const struct index_head *index;       /* got: of the index, NULL if there is none */
    const struct index_writer *new_index; /* given: a finished index, NULL for none */
};

enum { TAIL_TRAILER_BYTES = 48 };

/* ---- Encoding ---- */

/* The bytes of a tail, one after the other. */
struct tail_writer;
/* Encodes all but the index, which is read as it goes (borrowed until then, `t` is not). Frames
 * must ascend and not overlap (else ERROR_USAGE). */
MUST_CHECK int tail_writer_new(const struct tail *t, struct tail_writer **out, struct error *err);
void tail_writer_free(struct tail_writer *w);
/* Length of the whole tail. */
uint64_t tail_writer_bytes(const struct tail_writer *w);
/* The next `count` bytes, of which there must be so many. */
MUST_CHECK int tail_writer_read(struct tail_writer *w, void *bytes, size_t count,
                                struct error *err);

/* Appends a whole tail. */
MUST_CHECK int tail_encode(struct buffer *out, const struct tail *t, struct error *err);

/* ---- Decoding ---- */

/* Reads a trailer (the last TAIL_TRAILER_BYTES of the tail's bytes): 1 and the length of the whole
 * tail, 0 if it is none of ours, -1 if it is ours and damaged. */
int tail_trailer(struct bytes trailer, uint64_t *tail_bytes, struct error *err);

/* Takes a tail in pieces of any size, as it passes by. The blocks of the index are checked, summed
 * up (index_sum.h) and forgotten. What follows a whole tail begins another one. */
struct tail_reader;
MUST_CHECK int tail_reader_new(struct tail_reader **out, struct error *err);
void tail_reader_free(struct tail_reader *r);
/* Forgets all. */
void tail_reader_clear(struct tail_reader *r);
/* -1 is ERROR_MEMORY; damage is kept until it is asked for. */
MUST_CHECK int tail_reader_feed(struct tail_reader *r, struct bytes piece, struct error *err);
/* True once all but the index is there: the first block of entries begins, or the tail ended. */
bool tail_reader_has_head(const struct tail_reader *r);
/* What was fed: 1 a whole tail (the last one), 0 nothing, -1 it is damaged or cut short. */
int tail_reader_end(const struct tail_reader *r, struct error *err);
/* The tail, once it has its head. Borrowed until the reader is freed, cleared or fed more. */
const struct tail *tail_reader_tail(const struct tail_reader *r);
/* Bytes of the whole tail, and the sum over the entries of its index. */
uint64_t tail_reader_bytes(const struct tail_reader *r);
struct index_sum;
const struct index_sum *tail_reader_sum(const struct tail_reader *r);

/* Decodes a whole tail; what it points to lives in *out until tail_free. */
struct tail_memory;
MUST_CHECK int tail_decode(struct bytes bytes, struct tail_memory **out, struct error *err);
const struct tail *tail_of(const struct tail_memory *m);
void tail_free(struct tail_memory *m);

#endif
