/* A folder of snapshots: what is found in it, how its names change, what is taken away. */
#define _XOPEN_SOURCE 700
#include "disk/store.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/check.h"
#include "support/folder.h"
#include "support/transferred.h"

static struct error err;

static struct store opened(const struct folder *f, enum store_use use)
{
    struct store s;

    check_done(store_open(&s, f->path, use, &err));
    return s;
}

static int64_t seconds_of(const char *name)
{
    enum snapshot_state state;
    int64_t seconds;

    assert_true(snapshot_name_parse(bytes_of(name), &seconds, &state));
    return seconds;
}

static void folders_with_such_names_alone(void **state)
{
    const struct folder *f = *state;

    put_dir(f, "2026-11-25T130501Z");
    put_dir(f, "2026-11-24T130501Z.unfinished");
    put_dir(f, "2026-11-23T130501Z.pruned");
    put_dir(f, "notes");
    put_file(f, "2026-11-22T130501Z", "a file");
    assert_int_equal(symlinkat("notes", (int)f->handle, "2026-11-21T130501Z"), 0);
    struct store s = opened(f, STORE_LOOK);
    assert_int_equal(s.count, 3);
    assert_int_equal(store_newest(&s, SNAPSHOT_WHOLE)->seconds, seconds_of("2026-11-25T130501Z"));
    assert_int_equal(store_newest(&s, SNAPSHOT_UNFINISHED)->seconds,
                     seconds_of("2026-11-24T130501Z"));
    store_close(&s);
}

static void what_is_missing_holds_nothing(void **state)
{
    const struct folder *f = *state;
    char path[300];
    struct store s;

    (void)snprintf(path, sizeof path, "%s/not/there", f->path);
    check_done(store_open(&s, path, STORE_LOOK, &err));
    assert_int_equal(s.count, 0);
    assert_null(store_newest(&s, SNAPSHOT_WHOLE));
    store_close(&s);
    check_done(store_open(&s, path, STORE_WRITE, &err));
    store_close(&s);
    assert_int_equal(standing(f, "not/there").kind, OS_DIRECTORY);
}

static void one_at_a_time(void **state)
{
    const struct folder *f = *state;
    struct store first = opened(f, STORE_WRITE), second;

    check_kind(store_open(&second, f->path, STORE_WRITE, &err), ERROR_REFUSED);
    store_close(&second);
    store_close(&first);
}

static void names_change(void **state)
{
    const struct folder *f = *state;

    put_file(f, "2026-11-24T130501Z.unfinished/a", "a");
    put_dir(f, "2026-11-23T130501Z");
    struct store s = opened(f, STORE_WRITE);
    struct store_item from = *store_newest(&s, SNAPSHOT_UNFINISHED);
    struct store_item to = {from.seconds, SNAPSHOT_WHOLE};
    struct store_item taken = {seconds_of("2026-11-23T130501Z"), SNAPSHOT_WHOLE};

    check_done(store_rename(&s, &from, &from, &err));
    check_kind(store_rename(&s, &from, &taken, &err), ERROR_REFUSED);
    check_done(store_rename(&s, &from, &to, &err));
    check_standing(f, "2026-11-24T130501Z/a", "a");
    assert_int_equal(store_newest(&s, SNAPSHOT_WHOLE)->seconds, from.seconds);
    assert_null(store_newest(&s, SNAPSHOT_UNFINISHED));
    check_done(store_sync(&s, &err));
    store_close(&s);
}

/* Where `latest` leads. */
static const char *latest_of(const struct folder *f)
{
    static char text[100];
    ssize_t bytes = readlinkat((int)f->handle, "latest", text, sizeof text - 1);

    text[bytes > 0 ? bytes : 0] = '\0';
    return text;
}

static void latest_leads_to_an_item(void **state)
{
    const struct folder *f = *state;
    struct store s = opened(f, STORE_WRITE);
    struct store_item first = {seconds_of("2026-11-23T130501Z"), SNAPSHOT_WHOLE};
    struct store_item second = {seconds_of("2026-11-24T130501Z"), SNAPSHOT_WHOLE};
    enum store_latest what;

    check_done(store_set_latest(&s, &first, &what, &err));
    assert_int_equal(what, STORE_LATEST_LEADS);
    assert_string_equal(latest_of(f), "2026-11-23T130501Z");
    /* A killed run's. */
    assert_int_equal(symlinkat("nowhere", (int)f->handle, ".holdfast-latest"), 0);
    check_done(store_set_latest(&s, &second, &what, &err));
    check_done(store_set_latest(&s, &second, &what, &err));
    assert_string_equal(latest_of(f), "2026-11-24T130501Z");
    assert_int_equal(standing(f, ".holdfast-latest").kind, OS_KIND_UNKNOWN);
    put_file(f, ".holdfast-latest", "the user's");
    check_done(store_set_latest(&s, &first, &what, &err));
    assert_int_equal(what, STORE_LATEST_IMPOSSIBLE);
    check_standing(f, ".holdfast-latest", "the user's");
    assert_int_equal(unlinkat((int)f->handle, "latest", 0), 0);
    put_file(f, "latest", "the user's");
    check_done(store_set_latest(&s, &first, &what, &err));
    assert_int_equal(what, STORE_LATEST_IN_THE_WAY);
    check_standing(f, "latest", "the user's");
    store_close(&s);
}

static void on_failed(void *context, struct bytes below, struct error *problem)
{
    (void)context;
    (void)below;
    error_release(problem);
    fail_msg("something stays");
}

static void an_item_goes(void **state)
{
    const struct folder *f = *state;

    put_file(f, "2026-11-24T130501Z/below/a", "a");
    put_dir(f, "2026-11-23T130501Z");
    struct store s = opened(f, STORE_WRITE);
    struct removal look = {.mode = REMOVAL_LOOK, .failed = on_failed};
    struct removal task = {.mode = REMOVAL_DO, .failed = on_failed};
    struct store_item item = *store_newest(&s, SNAPSHOT_WHOLE);

    check_done(store_remove(&s, &item, &look, &err));
    assert_int_equal(look.removed, 3);
    check_standing(f, "2026-11-24T130501Z/below/a", "a");
    check_done(store_remove(&s, &item, &task, &err));
    assert_int_equal(task.removed, 3);
    assert_int_equal(standing(f, "2026-11-24T130501Z").kind, OS_KIND_UNKNOWN);
    assert_int_equal(standing(f, "2026-11-24T130501Z.pruned").kind, OS_KIND_UNKNOWN);
    assert_int_equal(standing(f, "2026-11-23T130501Z").kind, OS_DIRECTORY);
    store_close(&s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(folders_with_such_names_alone),
        TEST(what_is_missing_holds_nothing),
        TEST(one_at_a_time),
        TEST(names_change),
        TEST(latest_leads_to_an_item),
        TEST(an_item_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
