/*
 * Looking paths up beneath a root, through no link.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/check.h"
#include "support/stream.h"
#include "support/walked.h"

static const struct entry *find(struct source *s, const char *path)
{
    struct error err = {0};
    const struct entry *e = NULL;

    return check_done(source_find(s, bytes_of(path), &e, &err)) == 1 ? e : NULL;
}

static void entries_are_found_by_path(void **state)
{
    struct folder *f = *state;

    walked_dir(f, "a");
    walked_dir(f, "a/b");
    walked_link(f, "away", "a/b/link");
    walked_file(f, "a/b/file");
    struct source *s = walked(f);
    const struct entry *e = find(s, "t/a/b/file");
    assert_non_null(e);
    assert_int_equal(e->kind, ENTRY_FILE);
    check_text(e->path, "t/a/b/file");
    check_text(entry_name(e), "file");
    assert_int_equal(e->depth, 3);
    e = find(s, "t/a/b/link");
    assert_int_equal(e->kind, ENTRY_SYMLINK);
    check_text(e->target, "away");
    assert_int_equal(find(s, "t/a")->kind, ENTRY_DIRECTORY);
    assert_int_equal(find(s, "t")->kind, ENTRY_DIRECTORY);
    check_text(find(s, "t")->path, "t");
    source_close(s);
}

static void what_is_not_there_is_not_found(void **state)
{
    struct folder *f = *state;

    walked_dir(f, "a");
    walked_file(f, "a/file");
    walked_link(f, "a", "link");
    struct source *s = walked(f);
    assert_null(find(s, "t/none"));
    assert_null(find(s, "t/a/none"));
    assert_null(find(s, "t/none/file"));
    assert_null(find(s, "t/a/file/below"));
    assert_null(find(s, "t/link/file"));
    assert_null(find(s, "u/a"));
    assert_null(find(s, "u"));
    assert_null(find(s, ""));
    assert_non_null(find(s, "t/a/file"));
    source_close(s);
}

static void unsafe_paths_lead_nowhere(void **state)
{
    struct folder *f = *state;
    static const char *const paths[] = {"t/../x/y", "t/..", "t//x", "t/./x", "t/x/"};

    walked_dir(f, "x");
    struct source *s = walked(f);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        const struct entry *e = find(s, paths[i]);
        assert_true(!e || e->problem_scope == PROBLEM_ENTRY);
    }
    struct error err = {0};
    const struct entry *e;
    assert_int_equal(check_done(source_find(s, bytes_make("t/x\0y", 5), &e, &err)), 0);
    source_close(s);
}

static void what_is_made_later_is_found(void **state)
{
    struct folder *f = *state;

    struct source *s = walked(f);
    assert_null(find(s, "t/a/file"));
    walked_dir(f, "a");
    assert_null(find(s, "t/a/file"));
    walked_file(f, "a/file");
    assert_non_null(find(s, "t/a/file"));
    /* The folder that is kept open goes, and another comes. */
    assert_int_equal(unlinkat((int)f->handle, "a/file", 0), 0);
    assert_int_equal(unlinkat((int)f->handle, "a", AT_REMOVEDIR), 0);
    walked_dir(f, "a");
    walked_file(f, "a/file");
    assert_non_null(find(s, "t/a/file"));
    assert_int_equal(unlinkat((int)f->handle, "a/file", 0), 0);
    assert_int_equal(unlinkat((int)f->handle, "a", AT_REMOVEDIR), 0);
    walked_link(f, "b", "a");
    walked_dir(f, "b");
    walked_file(f, "b/file");
    assert_null(find(s, "t/a/file"));
    source_close(s);
}

static void roots_are_found_as_they_are_named(void **state)
{
    struct folder *f = *state;
    char place[400];
    struct error err = {0};
    struct source *s = NULL;
    struct walk_options options = {.missing_roots = true};
    struct disk_root roots[] = {
        {.name = "dir"}, {.name = "link"}, {.name = "named", .place = place}};

    strcpy(place, f->path);
    strcat(place, "/link");
    walked_dir(f, "dir");
    walked_file(f, "dir/file");
    walked_link(f, "dir", "link");
    check_done(walk_open(&(struct disk_layout){f->path, roots, 3}, &options, &s, &err));
    assert_int_equal(find(s, "dir")->kind, ENTRY_DIRECTORY);
    assert_non_null(find(s, "dir/file"));
    assert_int_equal(find(s, "link")->kind, ENTRY_SYMLINK);
    assert_null(find(s, "link/file"));
    assert_int_equal(find(s, "named")->kind, ENTRY_DIRECTORY);
    assert_non_null(find(s, "named/file"));
    source_close(s);
    strcat(place, "/nowhere");
    check_done(walk_open(&(struct disk_layout){f->path, roots, 3}, &options, &s, &err));
    assert_null(find(s, "named"));
    assert_null(find(s, "named/file"));
    source_close(s);
}

static void a_found_entry_is_loaded_and_read(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    const struct entry *e;
    struct data *d;
    char bytes[8];
    size_t got;

    walked_dir(f, "a");
    walked_dir(f, "z");
    walked_file(f, "z/last");
    folder_write(f->handle, "file", 0600, "hello");
    struct source *s = walked(f);
    stream_until(s, "t/a");
    assert_non_null(find(s, "t/file"));
    source_skip(s);
    check_done(source_load(s, &e, &err));
    check_text(e->path, "t/file");
    assert_true(e->meta.known & METADATA_XATTRS);
    check_done(source_open_data(s, &d, &err));
    check_done(data_read(d, 0, (struct data_span){bytes, sizeof bytes}, &got, &err));
    check_text(bytes_make(bytes, got), "hello");
    data_close(d);
    assert_non_null(find(s, "t/z"));
    check_done(source_load(s, &e, &err));
    assert_true(e->meta.known & METADATA_XATTRS);
    /* The stream goes on where it was. */
    check_stream(s, "f:t/file d:t/z f:t/z/last");
    source_close(s);
}

static bool secrets_are_entries_with_a_problem(void *argument)
{
    struct source *s = walked(argument);
    struct error err = {0};
    const struct entry *e;
    bool right = source_find(s, bytes_of("t/a/file"), &e, &err) == 1 &&
                 e->problem_scope == PROBLEM_ENTRY && os_error_is_permission(e->problem);

    error_release(&err);
    source_close(s);
    return right;
}

static void a_folder_that_may_not_be_searched_is_told(void **state)
{
    struct folder *f = *state;

    walked_dir(f, "a");
    walked_file(f, "a/file");
    assert_int_equal(fchmodat((int)f->handle, ".", 0755, 0), 0);
    assert_int_equal(fchmodat((int)f->handle, "a", 0, 0), 0);
    assert_true(folder_as_nobody(secrets_are_entries_with_a_problem, f));
    assert_int_equal(fchmodat((int)f->handle, "a", 0700, 0), 0);
}

#define folder_test(f) cmocka_unit_test_setup_teardown(f, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        folder_test(entries_are_found_by_path),
        folder_test(what_is_not_there_is_not_found),
        folder_test(unsafe_paths_lead_nowhere),
        folder_test(what_is_made_later_is_found),
        folder_test(roots_are_found_as_they_are_named),
        folder_test(a_found_entry_is_loaded_and_read),
        folder_test(a_folder_that_may_not_be_searched_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
