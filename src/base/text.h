/*
 * text.h: bytes that people and programs read: UTF-8 checks, masking for terminals, base64, decimal
 * times.
 */
#ifndef HOLDFAST_BASE_TEXT_H
#define HOLDFAST_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/* A point in time: seconds since 1970-01-01T00:00:00Z (negative before) plus 0..999999999
 * nanoseconds, always added. */
struct timestamp {
    int64_t seconds;
    uint32_t nanoseconds;
};

/* True if the bytes are valid UTF-8 (RFC 3629: no surrogates, no overlong forms, up to U+10FFFF).
 */
bool text_is_utf8(struct bytes b);

/* Appends `b` so that it is safe on a terminal: C0, DEL, C1, bidirectional and other format
 * controls, line separators and invalid UTF-8 become
 * `\xNN` (a byte each) or `\u{...}`; a backslash becomes `\\`. Nothing else changes (SAFETY R17).
 */
MUST_CHECK int text_mask(struct buffer *out, struct bytes b, struct error *err);

/* Appends base64 (RFC 4648, padded, no line breaks). */
MUST_CHECK int text_base64_encode(struct buffer *out, struct bytes b, struct error *err);
/* Appends the decoded bytes; anything but canonical padded base64 is ERROR_FORMAT. */
MUST_CHECK int text_base64_decode(struct buffer *out, struct bytes b, struct error *err);

/* Appends a time as a decimal number: "-1.25" is a quarter second before one second before 1970.
 * Trailing zeros of the fraction are cut. */
MUST_CHECK int text_append_time(struct buffer *out, struct timestamp t, struct error *err);
/* Reads such a number with any count of digits (digits past the ninth are cut towards the past). */
MUST_CHECK int text_parse_time(struct bytes b, struct timestamp *out, struct error *err);

/* Levenshtein distance with transpositions, for suggestions; both short. */
size_t text_distance(const char *a, const char *b);

/* -1, 0, 1. */
int timestamp_compare(struct timestamp a, struct timestamp b);

#endif
