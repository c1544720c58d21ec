/*
 * stream.h: a source as text, so that a test says in a few words what it should yield.
 */
#ifndef SUPPORT_STREAM_H
#define SUPPORT_STREAM_H

#include "tree/source.h"

/* The rest of the stream, one piece an entry, separated by spaces: a letter for the kind (d f l p s
 * c b), ':' and the path; for a link '>' and the target. Entries that could not be read are
 * "?:path", folders that could not be listed "!:path". NUL-terminated; the caller frees it. */
char *stream_text(struct source *s);

/* The stream's text equals `wanted`. */
#define check_stream(source, wanted) check_stream_at((source), (wanted), __FILE__, __LINE__)
void check_stream_at(struct source *s, const char *wanted, const char *file, int line);

/* Goes on to the entry of that path; the test fails if there is none. */
const struct entry *stream_until(struct source *s, const char *path);

#endif
