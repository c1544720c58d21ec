/*
 * Where links lead, by the system's word.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "support/check.h"
#include "support/stream.h"
#include "support/walked.h"

static const struct drives no_drives;

static enum target_state state_at(const struct folder *f, const char *path)
{
    struct inventory_resolver *r = NULL;
    struct error err = {0};
    enum target_state state = TARGET_UNKNOWN;
    struct source *s = walked(f);

    check_done(disk_resolver_new(s, &no_drives, &r, &err));
    check_done(r->resolve(r, stream_until(s, path), &state, &err));
    disk_resolver_free(r);
    source_close(s);
    return state;
}

static void each_state_is_told(void **state)
{
    struct folder *f = *state;
    char absolute[400], beside[400], long_target[4096];
    static const struct {
        const char *name, *target;
        enum target_state wanted;
    } cases[] = {
        {"file", "dir/file", TARGET_INSIDE},
        {"dir/up", "..", TARGET_INSIDE},
        {"chain", "file", TARGET_INSIDE},
        {"back", "chain/../back2", TARGET_DANGLING},
        {"out", "../..", TARGET_OUTSIDE},
        {"root", "/", TARGET_OUTSIDE},
        {"null", "/dev/null", TARGET_OUTSIDE},
        {"none", "nowhere", TARGET_DANGLING},
        {"far", "/nowhere/at/all", TARGET_DANGLING},
        {"below", "dir/file/x", TARGET_DANGLING},
        {"loop", "loop", TARGET_LOOPING},
        {"ping", "pong", TARGET_LOOPING},
        {"pong", "dir/../ping", TARGET_LOOPING},
    };

    walked_dir(f, "dir");
    walked_file(f, "dir/file");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        walked_link(f, cases[i].target, cases[i].name);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[100];
        (void)snprintf(path, sizeof path, "t/%s", cases[i].name);
        if (state_at(f, path) != cases[i].wanted)
            fail_msg("%s -> %s", cases[i].name, cases[i].target);
    }
    (void)snprintf(absolute, sizeof absolute, "%s/dir", f->path);
    walked_link(f, absolute, "absolute");
    assert_int_equal(state_at(f, "t/absolute"), TARGET_INSIDE);
    /* A name that begins like the root's is another name. */
    (void)snprintf(beside, sizeof beside, "%s-beside", f->path);
    assert_int_equal(mkdir(beside, 0700), 0);
    walked_link(f, beside, "beside");
    assert_int_equal(state_at(f, "t/beside"), TARGET_OUTSIDE);
    assert_int_equal(remove(beside), 0);
    memset(long_target, 'x', sizeof long_target);
    long_target[4095] = '\0';
    walked_link(f, long_target, "long");
    assert_int_equal(state_at(f, "t/long"), TARGET_DANGLING);
}

static bool a_secret_is_unknown(void *argument)
{
    return state_at(argument, "t/link") == TARGET_UNKNOWN;
}

static void what_may_not_be_looked_at_is_unknown(void **state)
{
    struct folder *f = *state;

    walked_dir(f, "a");
    walked_file(f, "a/file");
    walked_link(f, "a/file", "link");
    assert_int_equal(fchmodat((int)f->handle, ".", 0755, 0), 0);
    assert_int_equal(fchmodat((int)f->handle, "a", 0, 0), 0);
    assert_true(folder_as_nobody(a_secret_is_unknown, f));
    assert_int_equal(fchmodat((int)f->handle, "a", 0700, 0), 0);
}

static void within_the_root_folder_everything_is_inside(void **state)
{
    struct folder *f = *state;
    struct disk_root roots[] = {{.name = "root", .place = "/"}, {.name = "t", .place = f->path}};
    struct walk_options options = {0};
    struct inventory_resolver *r = NULL;
    struct error err = {0};
    enum target_state found = TARGET_UNKNOWN;
    struct source *s = NULL;
    const struct entry *e;

    walked_link(f, "/dev", "link");
    check_done(walk_open(&(struct disk_layout){NULL, roots, 2}, &options, &s, &err));
    check_done(disk_resolver_new(s, &no_drives, &r, &err));
    assert_int_equal(check_done(source_next(s, &e, &err)), 1);
    source_skip(s);
    e = stream_until(s, "t/link");
    check_done(r->resolve(r, e, &found, &err));
    assert_int_equal(found, TARGET_INSIDE);
    disk_resolver_free(r);
    source_close(s);
}

static void only_the_entry_that_came_last_is_resolved(void **state)
{
    struct folder *f = *state;
    struct inventory_resolver *r = NULL;
    struct error err = {0};
    enum target_state found;
    struct source *s = walked(f);
    struct entry other = {.path = bytes_of("t/other"), .kind = ENTRY_SYMLINK};

    walked_link(f, "x", "link");
    check_done(disk_resolver_new(s, &no_drives, &r, &err));
    stream_until(s, "t/link");
    check_kind(r->resolve(r, &other, &found, &err), ERROR_USAGE);
    disk_resolver_free(r);
    disk_resolver_free(NULL);
    source_close(s);
}

#define folder_test(f) cmocka_unit_test_setup_teardown(f, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        folder_test(each_state_is_told),
        folder_test(what_may_not_be_looked_at_is_unknown),
        folder_test(within_the_root_folder_everything_is_inside),
        folder_test(only_the_entry_that_came_last_is_resolved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
