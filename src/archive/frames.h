/*
 * frames.h: any bytes of the tar stream of an archive that can be sought, by its frame table. A
 * frame is read and decompressed as a whole, once its stored bytes were found to be those that were
 * written; the last ones are kept.
 */
#ifndef HOLDFAST_ARCHIVE_FRAMES_H
#define HOLDFAST_ARCHIVE_FRAMES_H

#include "archive/tail.h"
#include "os/os.h"

struct frames;

/* `handle` and `tail` are borrowed. The tail must be that of the container as it is stored. */
MUST_CHECK int frames_new(os_handle handle, const struct tail *tail, struct frames **out,
                          struct error *err);
void frames_free(struct frames *f);

/* Reads exactly `count` bytes at an offset of the tar stream. Damaged frames, and a place outside
 * of all, are ERROR_FORMAT. May be called by several threads. */
MUST_CHECK int frames_read(struct frames *f, uint64_t offset, void *bytes, size_t count,
                           struct error *err);
/* The same for who proves the bytes by another checksum: of a stream that is stored as it is they
 * alone are read, and not the frame that they lie in. */
MUST_CHECK int frames_read_unproved(struct frames *f, uint64_t offset, void *bytes, size_t count,
                                    struct error *err);

#endif
