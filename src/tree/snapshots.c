/*
 * snapshots.c: see snapshots.h.
 */
#include "tree/snapshots.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { HOUR_SECONDS = 3600, DAY_SECONDS = 24 * HOUR_SECONDS };

/* ---- The calendar ---- */

struct date {
    int64_t year;
    unsigned month, day; /* from 1 */
};

/* Years begin in March here, so that the odd day comes last; 400 years have 146097 days. */
static struct date date_of(int64_t days)
{
    int64_t from_zero = days + 719468; /* since 0000-03-01 */
    int64_t era = (from_zero >= 0 ? from_zero : from_zero - 146096) / 146097;
    unsigned day = (unsigned)(from_zero - era * 146097);
    unsigned year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    unsigned rest = day - (365 * year + year / 4 - year / 100);
    unsigned month = (5 * rest + 2) / 153;

    return (struct date){.year = (int64_t)year + era * 400 + (month >= 10),
                         .month = month < 10 ? month + 3 : month - 9,
                         .day = rest - (153 * month + 2) / 5 + 1};
}

static int64_t days_of(struct date d)
{
    int64_t year = d.year - (d.month <= 2);
    int64_t era = year / 400;
    unsigned in_era = (unsigned)(year - era * 400);
    unsigned day = (153 * (d.month + (d.month > 2 ? -3u : 9u)) + 2) / 5 + d.day - 1;

    return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + day - 719468;
}

/* ---- Names ---- */

static const char *const endings[] = {
    [SNAPSHOT_WHOLE] = "", [SNAPSHOT_UNFINISHED] = ".unfinished", [SNAPSHOT_PRUNED] = ".pruned"};

/* Of what stands before the ending. */
enum { STEM_BYTES = sizeof "2026-11-25T130501Z" - 1 };

void snapshot_name(char out[SNAPSHOT_NAME_BYTES], int64_t seconds, enum snapshot_state state)
{
    struct date d = date_of(seconds / DAY_SECONDS);
    unsigned rest = (unsigned)(seconds % DAY_SECONDS);

    (void)snprintf(out, SNAPSHOT_NAME_BYTES, "%04" PRId64 "-%02u-%02uT%02u%02u%02uZ%s",
                   d.year % 10000, d.month % 100, d.day % 100, rest / HOUR_SECONDS % 100,
                   rest / 60 % 60, rest % 60, endings[state]);
}

/* A number of `count` digits; what else stands there makes one that no name has. */
static unsigned digits(const uint8_t *text, size_t count)
{
    unsigned value = 0;

    for (size_t i = 0; i < count; i++)
        value = value * 10 + (text[i] - (unsigned)'0') % 10;
    return value;
}

bool snapshot_name_parse(struct bytes name, int64_t *seconds, enum snapshot_state *state)
{
    char again[SNAPSHOT_NAME_BYTES];

    if (name.size < STEM_BYTES)
        return false;
    struct date d = {.year = digits(name.data, 4),
                     .month = digits(name.data + 5, 2),
                     .day = digits(name.data + 8, 2)};
    if (d.year < 1970 || d.month < 1 || d.month > 12)
        return false;
    *seconds = days_of(d) * DAY_SECONDS + digits(name.data + 11, 2) * (int64_t)HOUR_SECONDS +
               digits(name.data + 13, 2) * 60 + digits(name.data + 15, 2);
    if (*seconds < 0)
        return false;
    /* What is not written so again is no such name: the 31st of April, a letter, another ending. */
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        *state = (enum snapshot_state)i;
        snapshot_name(again, *seconds, *state);
        if (bytes_equal(name, bytes_of(again)))
            return true;
    }
    return false;
}

/* ---- Which are kept ---- */

static const char *const period_words[] = {
    [SNAPSHOT_LAST] = "last",     [SNAPSHOT_HOURLY] = "hourly",   [SNAPSHOT_DAILY] = "daily",
    [SNAPSHOT_WEEKLY] = "weekly", [SNAPSHOT_MONTHLY] = "monthly", [SNAPSHOT_YEARLY] = "yearly"};

static int usage(struct error *err, struct bytes part)
{
    return error_set(err, ERROR_USAGE, NULL,
                     "'%.*s' is no rule: last, hourly, daily, weekly, monthly or yearly, and a "
                     "number from 1 on, as in daily=7,weekly=4",
                     (int)(part.size < 64 ? part.size : 64), (const char *)part.data);
}

static int parse_part(struct bytes part, struct snapshot_rules *out, struct error *err)
{
    const uint8_t *sign = memchr(part.data, '=', part.size);
    size_t word = sign ? (size_t)(sign - part.data) : part.size;
    uint32_t count = 0, *place = NULL;

    for (size_t i = 0; i < SNAPSHOT_PERIODS; i++) {
        if (bytes_equal(bytes_make(part.data, word), bytes_of(period_words[i])))
            place = &out->counts[i];
    }
    for (size_t i = word + 1; i < part.size; i++) {
        if (part.data[i] < '0' || part.data[i] > '9' || count > 100000)
            return usage(err, part);
        count = count * 10 + (uint32_t)(part.data[i] - '0');
    }
    if (!place || !count || *place)
        return usage(err, part);
    *place = count;
    return 0;
}

int snapshot_rules_parse(const char *text, struct snapshot_rules *out, struct error *err)
{
    struct bytes rest = bytes_of(text);

    *out = (struct snapshot_rules){{0}};
    for (;;) {
        const uint8_t *comma = rest.size ? memchr(rest.data, ',', rest.size) : NULL;
        size_t size = comma ? (size_t)(comma - rest.data) : rest.size;

        if (parse_part(bytes_make(rest.data, size), out, err))
            return -1;
        if (!comma)
            return 0;
        rest = bytes_make(rest.data + size + 1, rest.size - size - 1);
    }
}

/* The number of the period that a time lies in; of SNAPSHOT_LAST each snapshot has its own. */
static int64_t period_of(enum snapshot_period period, int64_t seconds, size_t index)
{
    int64_t days = seconds / DAY_SECONDS;
    struct date d = date_of(days);

    switch (period) {
    case SNAPSHOT_HOURLY:
        return seconds / HOUR_SECONDS;
    case SNAPSHOT_DAILY:
        return days;
    case SNAPSHOT_WEEKLY:
        return (days + 3) / 7; /* 1970 began with a Thursday */
    case SNAPSHOT_MONTHLY:
        return d.year * 12 + d.month;
    case SNAPSHOT_YEARLY:
        return d.year;
    default:
        return (int64_t)index;
    }
}

void snapshot_rules_apply(const struct snapshot_rules *rules, const int64_t *times, size_t count,
                          bool *kept)
{
    for (size_t i = 0; i < count; i++)
        kept[i] = i + 1 == count;
    for (size_t period = 0; period < SNAPSHOT_PERIODS; period++) {
        uint32_t left = rules->counts[period];
        int64_t last = -1;

        for (size_t i = count; left && i-- > 0;) {
            int64_t number = period_of((enum snapshot_period)period, times[i], i);
            if (number == last)
                continue;
            last = number;
            kept[i] = true;
            left--;
        }
    }
}
