/* Names of snapshots, and which of them rules keep. */
#include "tree/snapshots.h"

#include <stdlib.h>
#include <string.h>

#include "support/check.h"

enum { HOUR = 3600, DAY = 24 * HOUR };

static struct error err;

static void check_name(int64_t seconds, const char *text)
{
    char name[SNAPSHOT_NAME_BYTES];
    enum snapshot_state state;
    int64_t again;

    snapshot_name(name, seconds, SNAPSHOT_WHOLE);
    assert_string_equal(name, text);
    assert_true(snapshot_name_parse(bytes_of(text), &again, &state));
    assert_int_equal(again, seconds);
    assert_int_equal(state, SNAPSHOT_WHOLE);
}

static void names_are_dates(void **state)
{
    (void)state;
    check_name(0, "1970-01-01T000000Z");
    check_name(951782399, "2000-02-28T235959Z");
    check_name(951782400, "2000-02-29T000000Z");
    check_name(951868800, "2000-03-01T000000Z");
    check_name(1795611901, "2026-11-25T130501Z");
    check_name(4107542400, "2100-03-01T000000Z");
    check_name(253402300799, "9999-12-31T235959Z");
}

static void every_time_has_its_name(void **state)
{
    char name[SNAPSHOT_NAME_BYTES], before[SNAPSHOT_NAME_BYTES] = "";

    (void)state;
    for (int64_t seconds = 0; seconds < 12000 * (int64_t)DAY; seconds += DAY - 7) {
        for (int i = SNAPSHOT_WHOLE; i <= SNAPSHOT_PRUNED; i++) {
            enum snapshot_state which;
            int64_t again;
            snapshot_name(name, seconds, (enum snapshot_state)i);
            assert_true(snapshot_name_parse(bytes_of(name), &again, &which));
            assert_int_equal(again, seconds);
            assert_int_equal(which, i);
        }
        snapshot_name(name, seconds, SNAPSHOT_WHOLE);
        assert_true(strcmp(before, name) < 0);
        memcpy(before, name, sizeof name);
    }
}

static void other_names_are_none(void **state)
{
    static const char *const others[] = {
        "",
        "latest",
        "2026-11-25",
        "2026-11-25T130501",
        "2026-11-25T130501z",
        "2026-11-25T130501Z.bak",
        "2026-11-25T130501Z.unfinished2",
        "2026-11-25T130501Z.",
        " 2026-11-25T130501Z",
        "2026-11-31T130501Z",
        "2026-02-29T130501Z",
        "2026-13-01T130501Z",
        "2026-00-01T130501Z",
        "2026-01-00T130501Z",
        "2026-11-25T240000Z",
        "2026-11-25T136001Z",
        "2026-11-25T13050aZ",
        "2026/11/25T130501Z",
        "1969-12-31T235959Z",
        "12026-11-25T130501Z",
    };
    enum snapshot_state which;
    int64_t seconds;

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(snapshot_name_parse(bytes_of(others[i]), &seconds, &which));
    assert_false(snapshot_name_parse(bytes_make("2026-11-25T130501Z", 19), &seconds, &which));
}

static void rules_are_read(void **state)
{
    static const char *const wrong[] = {"",        ",",        "daily",    "daily=",
                                        "daily=0", "daily=-1", "daily=1,", "daily=1,daily=2",
                                        "often=1", "daily=1x", "daily =1", "daily=99999999999",
                                        "=3",      "Daily=1"};
    struct snapshot_rules rules;

    (void)state;
    check_done(
        snapshot_rules_parse("last=1,hourly=2,daily=3,weekly=4,monthly=5,yearly=6", &rules, &err));
    for (uint32_t i = 0; i < SNAPSHOT_PERIODS; i++)
        assert_int_equal(rules.counts[i], i + 1);
    check_done(snapshot_rules_parse("weekly=100", &rules, &err));
    assert_int_equal(rules.counts[SNAPSHOT_WEEKLY], 100);
    assert_int_equal(rules.counts[SNAPSHOT_LAST], 0);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        check_kind(snapshot_rules_parse(wrong[i], &rules, &err), ERROR_USAGE);
}

/* Applies rules to dates, "yyyy-mm-ddThhmmssZ" each; the kept ones, with a space behind each. */
static const char *kept_of(const char *text, const char *const *dates, size_t count)
{
    static char result[1000];
    struct snapshot_rules rules;
    int64_t times[50];
    bool kept[50];
    enum snapshot_state which;

    check_done(snapshot_rules_parse(text, &rules, &err));
    for (size_t i = 0; i < count; i++)
        assert_true(snapshot_name_parse(bytes_of(dates[i]), &times[i], &which));
    snapshot_rules_apply(&rules, times, count, kept);
    result[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        if (kept[i])
            strcat(strncat(result, dates[i] + 5, 8), " ");
    }
    return result;
}

static void the_newest_of_each_period_stays(void **state)
{
    static const char *const dates[] = {
        "2025-12-31T120000Z", "2026-01-01T120000Z", "2026-01-31T235959Z",
        "2026-02-01T000000Z", "2026-02-22T080000Z", "2026-02-22T090000Z",
        "2026-02-23T080000Z", "2026-02-23T085959Z", "2026-02-23T090000Z",
    };
    const size_t count = sizeof dates / sizeof *dates;

    (void)state;
    assert_string_equal(kept_of("last=1", dates, count), "02-23T09 ");
    assert_string_equal(kept_of("last=3", dates, count), "02-23T08 02-23T08 02-23T09 ");
    assert_string_equal(kept_of("hourly=2", dates, count), "02-23T08 02-23T09 ");
    assert_string_equal(kept_of("daily=3", dates, count), "02-01T00 02-22T09 02-23T09 ");
    /* The 22nd is a Sunday. */
    assert_string_equal(kept_of("weekly=2", dates, count), "02-22T09 02-23T09 ");
    assert_string_equal(kept_of("monthly=2", dates, count), "01-31T23 02-23T09 ");
    assert_string_equal(kept_of("yearly=5", dates, count), "12-31T12 02-23T09 ");
    assert_string_equal(kept_of("daily=1,monthly=3", dates, count), "12-31T12 01-31T23 02-23T09 ");
    assert_string_equal(kept_of("last=100", dates, 2), "12-31T12 01-01T12 ");
    assert_string_equal(kept_of("last=1", dates, 0), "");
}

/* A day at a time, what is kept is pruned on: after a year as many stay as the rules say, and
 * nothing that stays is ever kept a second time by chance. */
static void a_year_of_days(void **state)
{
    struct snapshot_rules rules;
    int64_t times[64];
    bool kept[64], again[64];
    size_t count = 0;

    (void)state;
    check_done(snapshot_rules_parse("daily=7,weekly=4,monthly=12", &rules, &err));
    for (int64_t day = 0; day < 800; day++) {
        size_t left = 0;
        times[count++] = 1767225600 + day * DAY; /* 2026-01-01 */
        assert_true(count < 64);
        snapshot_rules_apply(&rules, times, count, kept);
        assert_true(kept[count - 1]);
        for (size_t i = 0; i < count; i++) {
            if (kept[i])
                times[left++] = times[i];
        }
        count = left;
        snapshot_rules_apply(&rules, times, count, again);
        for (size_t i = 0; i < count; i++)
            assert_true(again[i]);
    }
    assert_in_range(count, 12 + 4, 12 + 4 + 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_dates),
        cmocka_unit_test(every_time_has_its_name),
        cmocka_unit_test(other_names_are_none),
        cmocka_unit_test(rules_are_read),
        cmocka_unit_test(the_newest_of_each_period_stays),
        cmocka_unit_test(a_year_of_days),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
