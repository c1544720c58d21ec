/*
 * container.h: numbers that writer and reader of a container share: magics, and the law by which
 * the tail's bytes are cut into pieces (docs/format.md, "Containers").
 *
 * Sources: RFC 8878 (zstd, skippable frames), zstd's
 * contrib/seekable_format/zstd_seekable_compression_format.md, RFC 1952 (gzip).
 */
#ifndef HOLDFAST_ARCHIVE_CONTAINER_H
#define HOLDFAST_ARCHIVE_CONTAINER_H

#include <stdint.h>

#include "archive/tail.h"

#define ZSTD_FRAME_MAGIC UINT32_C(0xFD2FB528)
/* The 16 magics of skippable frames differ in the low four bits. */
#define ZSTD_SKIPPABLE_MAGIC UINT32_C(0x184D2A50)
#define ZSTD_SKIPPABLE_MASK UINT32_C(0xFFFFFFF0)
/* Ours, of the frames that hold the tail, and the one that the seekable format gives to its table.
 */
#define ZSTD_TAIL_MAGIC UINT32_C(0x184D2A5D)
#define ZSTD_SEEK_TABLE_MAGIC UINT32_C(0x184D2A5E)
#define ZSTD_SEEK_FOOTER_MAGIC UINT32_C(0x8F92EAB1)

enum {
    ZSTD_SKIPPABLE_HEADER_BYTES = 8,
    ZSTD_SEEK_ENTRY_BYTES = 8,    /* without checksums */
    ZSTD_SEEK_CHECKSUM_BYTES = 4, /* more an entry, if bit 7 of the descriptor is set */
    ZSTD_SEEK_FOOTER_BYTES = 9,
    ZSTD_TAIL_PIECE_BYTES = 1 << 20,
    GZIP_UNKNOWN_SYSTEM = 255,
    GZIP_TAIL_ID_1 = 'H',
    GZIP_TAIL_ID_2 = 'F',
    GZIP_TAIL_PIECE_BYTES = 16000, /* busybox fails on more */
    GZIP_TAIL_BEFORE_BYTES = 16,   /* member header, extra length, subfield header */
    GZIP_TAIL_BEHIND_BYTES = 10,   /* empty deflate block, CRC-32 and length of nothing */
};

/* What stands before a piece of `piece_bytes` in a .tar.gz, and behind each. */
void container_gzip_head(uint8_t out[GZIP_TAIL_BEFORE_BYTES], size_t piece_bytes);
#define GZIP_TAIL_BEHIND                                                                           \
    {                                                                                              \
        3                                                                                          \
    }

/* How many pieces of at most `piece_bytes` a tail is cut into. */
uint64_t container_pieces(uint64_t tail_bytes, size_t piece_bytes);

/* Length of the next piece when `left` bytes of the tail are still to come: the first piece is the
 * short one, so that the trailer always stands whole in the last. */
size_t container_piece_bytes(uint64_t left, size_t piece_bytes);

/* Appends the seek table, a whole skippable frame, for an archive with that tail, encoded in
 * `tail_bytes`. */
MUST_CHECK int container_seek_table(struct buffer *out, const struct tail *t, size_t tail_bytes,
                                    struct error *err);

/* Little-endian integers at `at`. */
uint32_t container_u32(const uint8_t *at);
void container_put_u32(uint8_t *at, uint32_t value);

#endif
