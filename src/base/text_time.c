/*
 * text_time.c: times of text.h as decimal numbers, as pax records hold them. The number is one
 * value with a sign: the fraction of a time before 1970 counts backwards there, while that of a
 * struct timestamp always counts forwards.
 */
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>

enum { NANOSECONDS = 1000000000, FRACTION_DIGITS = 9 };

int text_append_time(struct buffer *out, struct timestamp t, struct error *err)
{
    bool negative = t.seconds < 0;
    uint64_t seconds = (uint64_t)t.seconds;
    uint32_t fraction = t.nanoseconds;
    char text[48];
    int length;

    if (negative) {
        seconds = 0 - seconds;
        if (fraction) {
            seconds--;
            fraction = NANOSECONDS - fraction;
        }
    }
    length = snprintf(text, sizeof text, "%s%" PRIu64 ".%09" PRIu32, negative ? "-" : "", seconds,
                      fraction);
    while (text[length - 1] == '0')
        length--;
    if (text[length - 1] == '.')
        length--;
    return buffer_append(out, text, (size_t)length, err);
}

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

/* Takes digits from the front of `b`; false if there is none or the number is over 2^63. */
static bool take_seconds(struct bytes *b, uint64_t *seconds)
{
    const uint64_t limit = (uint64_t)1 << 63;
    size_t i = 0;

    *seconds = 0;
    for (; i < b->size && is_digit(b->data[i]); i++) {
        uint64_t digit = (uint64_t)(b->data[i] - '0');
        if (*seconds > (limit - digit) / 10)
            return false;
        *seconds = *seconds * 10 + digit;
    }
    *b = bytes_make(b->data + i, b->size - i);
    return i > 0;
}

/* Takes ".digits", or nothing at the end. *rest tells that digits past the ninth were not all zero.
 */
static bool take_fraction(struct bytes b, uint32_t *fraction, bool *rest)
{
    uint32_t unit = NANOSECONDS;

    *fraction = 0;
    *rest = false;
    if (!b.size)
        return true;
    if (b.data[0] != '.' || b.size == 1)
        return false;
    for (size_t i = 1; i < b.size; i++) {
        if (!is_digit(b.data[i]))
            return false;
        if (i <= FRACTION_DIGITS) {
            unit /= 10;
            *fraction += (uint32_t)(b.data[i] - '0') * unit;
        } else if (b.data[i] != '0') {
            *rest = true;
        }
    }
    return true;
}

/* The time that lies seconds.fraction before 1970, the fraction at most a second; false if it is
 * out of range. */
static bool before_1970(uint64_t seconds, uint32_t fraction, struct timestamp *out)
{
    if (fraction && ++seconds > (uint64_t)1 << 63)
        return false;
    out->seconds = seconds ? -(int64_t)(seconds - 1) - 1 : 0;
    out->nanoseconds = fraction ? NANOSECONDS - fraction : 0;
    return true;
}

int text_parse_time(struct bytes b, struct timestamp *out, struct error *err)
{
    bool negative = b.size && b.data[0] == '-';
    bool rest;
    uint64_t seconds;
    uint32_t fraction;

    if (negative)
        b = bytes_make(b.data + 1, b.size - 1);
    if (!take_seconds(&b, &seconds) || !take_fraction(b, &fraction, &rest))
        return error_set(err, ERROR_FORMAT, "read time", "malformed time");
    if (negative) {
        if (before_1970(seconds, fraction + rest, out))
            return 0;
    } else if (seconds <= INT64_MAX) {
        *out = (struct timestamp){(int64_t)seconds, fraction};
        return 0;
    }
    return error_set(err, ERROR_FORMAT, "read time", "time out of range");
}

int timestamp_compare(struct timestamp a, struct timestamp b)
{
    if (a.seconds != b.seconds)
        return a.seconds < b.seconds ? -1 : 1;
    return (a.nanoseconds > b.nanoseconds) - (a.nanoseconds < b.nanoseconds);
}
