/*
 * input.h: the bytes of an archive on their way in: finds out how they are compressed, decompresses
 * in a second thread, checks what can be checked (gzip CRC-32 and length, zstd checksums, cut ends,
 * bytes behind the last frame), and keeps the tail that passes by. gzip and zstd are read here;
 * other compressions (xz, bzip2, lz4, ...) through libarchive's filters.
 */
#ifndef HOLDFAST_ARCHIVE_INPUT_H
#define HOLDFAST_ARCHIVE_INPUT_H

#include "archive/output.h"
#include "archive/tail.h"

enum input_kind {
    INPUT_TAR,     /* the decompressed bytes begin with a tar header (or are an empty tar) */
    INPUT_FOREIGN, /* something else: for foreign.h (zip, 7z, cpio, ...), or no archive at all */
};

/* How far what is read is proved when it comes. */
enum input_trust {
    INPUT_AS_IT_COMES, /* damage is told at the end of a frame at the latest, behind bytes of it */
    INPUT_WHOLE_FRAMES /* no byte of a damaged frame is given out: for what is left of an archive */
};

struct input;
/* Opens the archive on `handle`, which belongs to the input on success. Reads ahead far enough to
 * know its kind. */
MUST_CHECK int input_open(os_handle handle, enum input_trust trust, struct input **out,
                          struct error *err);
void input_close(struct input *in);
enum input_kind input_kind(const struct input *in);
/* "plain", "gzip", "zstd", or libarchive's name of the filter. Borrowed until input_rewind. */
const char *input_compression(const struct input *in);
/* True if the handle can be sought (no pipe). */
bool input_can_seek(const struct input *in);
/* Takes the next decompressed bytes, at most `most` and none only at the end, and shows them: *out
 * is borrowed until the next call. Damage is ERROR_FORMAT with the place. */
MUST_CHECK int input_take(struct input *in, size_t most, struct bytes *out, struct error *err);
/* The same into `bytes`; *got is short only at the end. */
MUST_CHECK int input_read(struct input *in, void *bytes, size_t capacity, size_t *got,
                          struct error *err);
/* Begins again at the first byte; only if input_can_seek. */
MUST_CHECK int input_rewind(struct input *in, struct error *err);
/* Reads to the very end (checks, tail), after the reader has seen tar's end blocks: decompressed
 * bytes that are neither zero padding nor a tail of ours are counted in *trailing. If there is a
 * tail that can be read, its length and hash of the tar stream must be those of the bytes that
 * passed by since the beginning; else ERROR_FORMAT. */
MUST_CHECK int input_drain(struct input *in, uint64_t *trailing, struct error *err);
/* The tail, once input_drain has returned 0, or at once if the handle can be sought (all blocks but
 * those of the index have been checked then): 1 and *out (borrowed until input_rewind or
 * input_close), 0 if there is none, -1 if it is damaged. */
MUST_CHECK int input_tail(struct input *in, const struct tail **out, struct error *err);
/* The sum over the entries of the index that passed by, once input_drain has returned 0; NULL if
 * there was none. Borrowed. */
struct index_sum;
const struct index_sum *input_index_sum(const struct input *in);
/* Compressed bytes taken so far, for progress. */
uint64_t input_stored_position(const struct input *in);
/* The open handle, borrowed, for readers at offsets (os_read_at) of an archive that can be sought;
 * it disturbs nothing. */
os_handle input_handle(const struct input *in);

#endif
