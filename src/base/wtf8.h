/*
 * wtf8.h: Windows names as bytes. Windows counts in UTF-16 units and does not care whether
 * surrogates come in pairs; WTF-8 (https://simonsapin.github.io/wtf-8/) is UTF-8 that also holds a
 * surrogate without its partner, as three bytes. Each sequence of units has one WTF-8 text and each
 * WTF-8 text one sequence of units, so names survive the way there and back.
 */
#ifndef HOLDFAST_BASE_WTF8_H
#define HOLDFAST_BASE_WTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/* Decodes the code point at the start of `text` (not empty): the bytes that it takes, or 0 if they
 * are none (truncated, overlong, over U+10FFFF). Surrogates are code points here; that two of them
 * make no pair is for wtf8_is_valid to say. */
size_t wtf8_decode(struct bytes text, uint32_t *point);
/* Appends the bytes of a code point, at most U+10FFFF, surrogates included. */
MUST_CHECK int wtf8_append(struct buffer *out, uint32_t point, struct error *err);

/* The first half of a pair (U+D800 to U+DBFF), and the second (U+DC00 to U+DFFF). */
bool wtf8_is_lead(uint32_t point);
bool wtf8_is_trail(uint32_t point);

/* True if the bytes are well-formed WTF-8: code points, and no lead surrogate in front of a trail
 * surrogate, since UTF-16 would join the two. `units` (may be NULL) gets the length in UTF-16
 * units. */
bool wtf8_is_valid(struct bytes text, size_t *units);

/* Appends UTF-16LE as WTF-8: pairs are joined, unpaired surrogates are kept. An odd number of bytes
 * is ERROR_FORMAT; all else is accepted. On error `out` is as before. */
MUST_CHECK int wtf8_from_utf16(struct buffer *out, struct bytes utf16, struct error *err);
/* Appends WTF-8 as UTF-16LE. What is not well-formed is ERROR_FORMAT. On error `out` is as before.
 */
MUST_CHECK int wtf8_to_utf16(struct buffer *out, struct bytes text, struct error *err);

#endif
