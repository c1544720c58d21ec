/*
 * What the user names, as a source: folders and archives with their filters, names of roots, chosen
 * paths.
 */
#define _POSIX_C_SOURCE 200809L
#include "cli/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/archived.h"
#include "support/check.h"
#include "support/stream.h"
#include "support/tarball.h"
#include "support/walked.h"

static struct error err;

static const char *in(const struct folder *f, const char *name)
{
    static char path[400];

    (void)snprintf(path, sizeof path, "%s/%s", f->path, name);
    return path;
}

static void check_root_name(const char *path, const char *wanted)
{
    struct buffer name = {0};

    check_done(tree_root_name(path, &name, &err));
    check_text(buffer_bytes(&name), wanted);
    buffer_release(&name);
}

static void roots_have_their_last_component_as_name(void **state)
{
    const struct folder *f = *state;
    struct buffer name = {0};
    char before[300];

    assert_non_null(getcwd(before, sizeof before));
    walked_dir(f, "t");
    walked_dir(f, "t/inner");
    walked_link(f, "t", "link");
    check_root_name(in(f, "t/inner"), "inner");
    check_root_name(in(f, "t/inner//"), "inner");
    check_root_name(in(f, "t/inner/.."), "t");
    check_root_name(in(f, "t/./"), "t");
    check_root_name(in(f, "link"), "link");
    check_root_name(in(f, "link/."), "t");
    check_root_name("relative/name", "name");
    check_root_name("/", "root");
    check_root_name("//", "root");
    check_root_name("/proc/..", "root");
    assert_int_equal(chdir(in(f, "t")), 0);
    check_root_name(".", "t");
    check_root_name("./", "t");
    assert_int_equal(chdir(before), 0);
    assert_int_equal(tree_root_name(in(f, "none/."), &name, &err), -1);
    error_release(&err);
    buffer_release(&name);
}

static void paths_are_cleaned_at_their_ends(void **state)
{
    static const char *const typed[] = {"skipped", "a/b", "./a/b/", "a//",
                                        "././.a",  "/",   ".",      "./"};
    static const char *const wanted[] = {"a/b", "a/b", "a", ".a", "", "", ""};
    struct text_list texts = {0};
    struct bytes *paths;

    (void)state;
    for (size_t i = 0; i < 8; i++)
        check_done(text_list_append(&texts, typed[i], &err));
    check_done(tree_paths(&texts, 1, 7, &paths, &err));
    for (size_t i = 0; i < 7; i++)
        check_text(paths[i], wanted[i]);
    free(paths);
    text_list_release(&texts);
}

static void a_folder_is_walked_with_its_filter(void **state)
{
    const struct folder *f = *state;
    struct filter_rule rule = {FILTER_EXCLUDE, "*.o"};
    const char *mark = ".nobackup";
    struct filter_settings filter = {.rules = {.items = &rule, .count = 1},
                                     .if_present = {.items = &mark, .count = 1}};
    struct bytes paths[] = {bytes_of("t/d"), bytes_of("t/none")};
    struct told told;
    struct tree_options options = {.filter = &filter};
    struct tree t;

    told_init(&told);
    options.watcher = &told.watcher;
    walked_dir(f, "t");
    walked_dir(f, "t/d");
    walked_dir(f, "t/cache");
    walked_file(f, "t/cache/.nobackup");
    walked_file(f, "t/cache/big");
    walked_file(f, "t/d/a");
    walked_file(f, "t/d/b.o");
    walked_file(f, "t/e");
    check_done(tree_open(&t, in(f, "t"), &options, &err));
    assert_false(t.is_archive);
    check_stream(t.source, "d:t d:t/cache d:t/d f:t/d/a f:t/e");
    tree_close(&t);
    options.paths = paths;
    options.path_count = 2;
    check_done(tree_open_first(&t, in(f, "t"), &options, &err));
    check_stream(t.source, "d:t d:t/d f:t/d/a");
    tree_tell_unmatched(&t, &options);
    check_told(&told, "error t/none: no such entry in the folder");
    tree_close(&t);
    told_release(&told);
}

static void a_root_can_have_another_name(void **state)
{
    const struct folder *f = *state;
    struct told told;
    struct tree_options options = {.root_name = "other"};
    struct tree t;

    told_init(&told);
    options.watcher = &told.watcher;
    walked_dir(f, "t");
    walked_file(f, "t/a");
    check_done(tree_open(&t, in(f, "t"), &options, &err));
    check_stream(t.source, "d:other f:other/a");
    tree_close(&t);
    told_release(&told);
}

static void an_archive_is_read_with_chosen_paths(void **state)
{
    const struct folder *f = *state;
    struct list_source *list = list_source_new();
    struct bytes paths[] = {bytes_of("t/b"), bytes_of("t/x")};
    struct told told;
    struct tree_options options = {.contents = true, .paths = paths, .path_count = 2};
    struct tree t;

    told_init(&told);
    options.watcher = &told.watcher;
    list_add(list, ENTRY_DIRECTORY, "t");
    list_file(list, "t/a", "content");
    list_name(list, "t/b", "t/a");
    list_as_archive(list);
    (void)archived(f, "a.tar.zst", list_source(list), &told);
    check_done(tree_open_first(&t, in(f, "a.tar.zst"), &options, &err));
    assert_true(t.is_archive && t.is_ours);
    check_content(t.source, "t/b", "content");
    check_stream(t.source, "");
    tree_tell_unmatched(&t, &options);
    check_told(&told, "error t/x: no such entry in the archive");
    tree_close(&t);
    told_release(&told);
}

static void another_tools_archive_is_laid_out(void **state)
{
    const struct folder *f = *state;
    struct tarball tar;
    struct told told;
    struct tree_options options = {.contents = true};
    struct tree t;

    told_init(&told);
    options.watcher = &told.watcher;
    tarball_init(&tar);
    tarball_member(&tar, "./b/c", '0', bytes_of("1"));
    tarball_member(&tar, "/a", '0', bytes_of("2"));
    tarball_zeros(&tar, 2);
    archive_put(f, "b.tar", buffer_bytes(&tar.bytes));
    check_done(tree_open(&t, in(f, "b.tar"), &options, &err));
    assert_true(t.is_archive && !t.is_ours);
    check_stream(t.source, "f:/a d:b f:b/c");
    tree_close(&t);
    options.strip_absolute = true;
    check_done(tree_open(&t, in(f, "b.tar"), &options, &err));
    check_stream(t.source, "f:a d:b f:b/c");
    tree_close(&t);
    tarball_release(&tar);
    told_release(&told);
}

static void what_is_not_there_is_named(void **state)
{
    const struct folder *f = *state;
    struct told told;
    struct tree_options options = {0};
    struct tree t;

    told_init(&told);
    options.watcher = &told.watcher;
    check_kind(tree_open_first(&t, in(f, "none"), &options, &err), ERROR_USAGE);
    archive_put(f, "text", bytes_of("no archive"));
    assert_int_equal(tree_open(&t, in(f, "text"), &options, &err), -1);
    assert_int_equal(err.kind, ERROR_FORMAT);
    assert_non_null(strstr(err.path, "/text"));
    error_release(&err);
    tree_close(&t);
    told_release(&told);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(roots_have_their_last_component_as_name),
        TEST(paths_are_cleaned_at_their_ends),
        TEST(a_folder_is_walked_with_its_filter),
        TEST(a_root_can_have_another_name),
        TEST(an_archive_is_read_with_chosen_paths),
        TEST(another_tools_archive_is_laid_out),
        TEST(what_is_not_there_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
