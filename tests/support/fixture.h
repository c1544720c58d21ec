/*
 * fixture.h: the text files of fixtures/, for tests that go through their cases.
 */
#ifndef SUPPORT_FIXTURE_H
#define SUPPORT_FIXTURE_H

#include <stdbool.h>

#include "base/buffer.h"

/* Reads a file of fixtures/, or fails the test. */
void fixture_read(const char *name, struct buffer *out);
/* Takes the next line off `left`, without its newline; false at the end. */
bool fixture_line(struct bytes *left, struct bytes *line);
/* Takes what stands before a mark off `line`, and the mark; false if the mark is not in it. */
bool fixture_before(struct bytes *line, const char *mark, struct bytes *before);

/* Appends the bytes of words: hexadecimal (0c0000a0), text as UTF-16LE ("ab") or as it is ('ab'),
 * each with *N behind it if it is repeated; a `#` ends them. A word `*N` repeats all before it.
 * Fails the test on anything else. */
void fixture_bytes(struct bytes words, struct buffer *out);
/* Appends a text in which <..> are bytes in hexadecimal. */
void fixture_text(struct bytes text, struct buffer *out);

#endif
