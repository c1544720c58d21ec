/*
 * Roots: how they may be named, where links are followed, and what is told of them.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/check.h"
#include "support/stream.h"
#include "support/walked.h"

/* Walks one root whose place is the test's folder, a slash and `rest`. */
static struct source *walk_place(const struct folder *f, const char *rest, bool missing_roots)
{
    struct walk_options options = {.missing_roots = missing_roots};
    struct error err = {0};
    struct source *s = NULL;
    char place[400];

    (void)snprintf(place, sizeof place, "%s/%s", f->path, rest);
    struct disk_root root = {.name = "t", .place = place};
    check_done(walk_open(&(struct disk_layout){NULL, &root, 1}, &options, &s, &err));
    return s;
}

static void check_place(const struct folder *f, const char *rest, const char *wanted)
{
    struct source *s = walk_place(f, rest, false);

    check_stream(s, wanted);
    source_close(s);
}

static void a_folder_may_be_named_in_many_ways(void **state)
{
    struct folder *f = *state;
    static const char *const ways[] = {"a",      "a/",   "a//",   "a/.",     "./a",
                                       "a/b/..", "to-a", "to-a/", "to-to-a", "x/../a"};

    walked_dir(f, "a");
    walked_dir(f, "a/b");
    walked_dir(f, "x");
    walked_link(f, "a", "to-a");
    walked_link(f, "x/../to-a", "to-to-a");
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        check_place(f, ways[i], "d:t d:t/b");
}

static void a_relative_place_is_taken_from_here(void **state)
{
    struct folder *f = *state;
    struct disk_root roots[] = {
        {.name = "a", .place = "."}, {.name = "b", .place = "../"}, {.name = "c", .place = "file"}};
    struct walk_options options = {0};
    struct error err = {0};
    struct source *s = NULL;
    char before[PATH_MAX];

    walked_dir(f, "x");
    walked_dir(f, "x/y");
    walked_file(f, "x/y/file");
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(fchdir((int)f->handle), 0);
    assert_int_equal(chdir("x/y"), 0);
    check_done(walk_open(&(struct disk_layout){NULL, roots, 3}, &options, &s, &err));
    check_stream(s, "d:a f:a/file d:b d:b/y f:b/y/file f:c");
    source_close(s);
    assert_int_equal(chdir(before), 0);
}

static void what_is_no_folder_is_a_root_of_its_own(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    const struct entry *e;
    struct data *d;

    walked_dir(f, "a");
    folder_write(f->handle, "file", 0600, "hello");
    walked_link(f, "../file", "a/link");
    walked_link(f, "a/link", "link");
    check_done(os_make_node(f->handle, "pipe", &(struct os_node){OS_FIFO, 0600, 0, 0}, &err));
    walked_link(f, "pipe", "to-pipe");
    check_place(f, "file", "f:t");
    check_place(f, "link", "f:t");
    check_place(f, "pipe", "p:t");
    check_place(f, "to-pipe", "p:t");
    check_place(f, "file/", "?:t");
    struct source *s = walk_place(f, "link", false);
    e = stream_until(s, "t");
    check_done(source_load(s, &e, &err));
    assert_int_equal(e->problem_scope, PROBLEM_NONE);
    check_done(source_open_data(s, &d, &err));
    assert_int_equal(d->size, 5);
    data_close(d);
    source_close(s);
}

static void a_root_that_cannot_be_reached_is_told(void **state)
{
    struct folder *f = *state;

    walked_file(f, "file");
    walked_link(f, "nowhere", "dangling");
    walked_link(f, "loop", "loop");
    check_place(f, "nowhere", "?:t");
    check_place(f, "dangling", "?:t");
    check_place(f, "loop", "?:t");
    check_place(f, "file/below", "?:t");
}

static void missing_roots_yield_nothing_when_asked(void **state)
{
    struct folder *f = *state;
    static const struct {
        const char *rest, *wanted;
    } cases[] = {{"nowhere", ""}, {"nowhere/at/all", ""}, {"dangling", "?:t"},
                 {"loop", "?:t"}, {"file/below", "?:t"},  {"file", "f:t"}};

    walked_file(f, "file");
    walked_link(f, "nowhere", "dangling");
    walked_link(f, "loop", "loop");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct source *s = walk_place(f, cases[i].rest, true);
        check_stream(s, cases[i].wanted);
        source_close(s);
    }
}

static void below_a_base_no_link_is_followed(void **state)
{
    struct folder *f = *state;
    struct disk_root roots[] = {
        {.name = "dir"}, {.name = "gone"}, {.name = "link"}, {.name = "near"}};
    struct walk_options options = {.missing_roots = true};
    struct error err = {0};
    struct source *s = NULL;

    walked_dir(f, "dir");
    walked_file(f, "dir/x");
    walked_link(f, "dir", "link");
    walked_file(f, "near");
    check_done(walk_open(&(struct disk_layout){f->path, roots, 4}, &options, &s, &err));
    check_stream(s, "d:dir f:dir/x l:link>dir f:near");
    source_close(s);
    options.missing_roots = false;
    check_done(walk_open(&(struct disk_layout){f->path, roots, 2}, &options, &s, &err));
    check_stream(s, "d:dir f:dir/x ?:gone");
    source_close(s);
    options.missing_roots = true;
    check_done(walk_open(&(struct disk_layout){"/nowhere/x", roots, 4}, &options, &s, &err));
    check_stream(s, "");
    source_close(s);
}

static bool unreadable_root_is_told(void *argument)
{
    struct source *s = walk_place(argument, "to-a", false);
    char *text = stream_text(s);
    bool right = !strcmp(text, "d:t !:t");

    free(text);
    source_close(s);
    return right;
}

static void an_unreadable_root_is_an_entry(void **state)
{
    struct folder *f = *state;

    walked_dir(f, "a");
    walked_link(f, "a", "to-a");
    assert_int_equal(fchmodat((int)f->handle, ".", 0755, 0), 0);
    assert_int_equal(fchmodat((int)f->handle, "a", 0, 0), 0);
    assert_true(folder_as_nobody(unreadable_root_is_told, f));
}

static void a_long_place_is_reached(void **state)
{
    enum { LEVELS = 30, NAME = 200 };
    struct folder *f = *state;
    struct error err = {0};
    struct walk_options options = {0};
    struct source *s = NULL;
    char name[NAME + 1], place[400 + LEVELS * (NAME + 1)], file[sizeof place + 2];
    int folder = dup((int)f->handle);

    memset(name, 'n', NAME);
    name[NAME] = '\0';
    int length = snprintf(place, sizeof place, "%s", f->path);
    for (int i = 0; i < LEVELS; i++) {
        assert_int_equal(mkdirat(folder, name, 0700), 0);
        int inner = openat(folder, name, O_RDONLY | O_DIRECTORY);
        close(folder);
        folder = inner;
        length += snprintf(place + length, sizeof place - (size_t)length, "/%s", name);
    }
    close(openat(folder, "x", O_CREAT | O_WRONLY, 0600));
    close(folder);
    (void)snprintf(file, sizeof file, "%s/x", place);
    struct disk_root roots[] = {{.name = "a", .place = place}, {.name = "b", .place = file}};
    check_done(walk_open(&(struct disk_layout){NULL, roots, 2}, &options, &s, &err));
    check_stream(s, "d:a f:a/x f:b");
    source_close(s);
}

static void facts_tell_where_the_roots_are(void **state)
{
    struct folder *f = *state;
    struct walk_options options = {.missing_roots = true};
    struct error err = {0};
    struct source *s = NULL;
    char real[PATH_MAX], wanted[PATH_MAX + 20], place[400];

    walked_dir(f, "a");
    walked_file(f, "file");
    walked_link(f, "a", "link");
    assert_non_null(realpath(f->path, real));
    (void)snprintf(place, sizeof place, "%s/link", f->path);
    struct disk_root roots[] = {{.name = "1", .place = place},
                                {.name = "2", .place = place, .told_path = "/origin"},
                                {.name = "file"},
                                {.name = "gone"}};
    check_done(walk_open(&(struct disk_layout){f->path, roots, 4}, &options, &s, &err));
    const struct source_facts *facts = source_facts(s);
    assert_int_equal(facts->root_count, 4);
    assert_true(facts->ordered && facts->complete_metadata && !facts->sequential);
    assert_string_equal(facts->host_system, os_system_name());
    assert_int_equal(facts->names_known, !walk_link_count_is_hint(s));
    (void)snprintf(wanted, sizeof wanted, "%s/a", real);
    assert_string_equal(facts->roots[0].absolute_path, wanted);
    assert_true(facts->roots[0].file_system[0]);
    assert_string_equal(facts->roots[1].absolute_path, "/origin");
    (void)snprintf(wanted, sizeof wanted, "%s/file", real);
    assert_string_equal(facts->roots[2].name, "file");
    assert_string_equal(facts->roots[2].absolute_path, wanted);
    assert_string_equal(facts->roots[2].file_system, facts->roots[0].file_system);
    (void)snprintf(wanted, sizeof wanted, "%s/gone", real);
    assert_string_equal(facts->roots[3].absolute_path, wanted);
    source_close(s);
}

static void the_root_folder_is_a_root(void **state)
{
    struct disk_root root = {.name = "root", .place = "/"};
    struct walk_options options = {0};
    struct error err = {0};
    struct source *s = NULL;
    const struct entry *e;

    (void)state;
    check_done(walk_open(&(struct disk_layout){NULL, &root, 1}, &options, &s, &err));
    assert_string_equal(source_facts(s)->roots[0].absolute_path, "/");
    assert_int_equal(check_done(source_next(s, &e, &err)), 1);
    check_text(e->path, "root");
    assert_int_equal(e->kind, ENTRY_DIRECTORY);
    source_close(s);
}

#define folder_test(f) cmocka_unit_test_setup_teardown(f, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        folder_test(a_folder_may_be_named_in_many_ways),
        folder_test(a_relative_place_is_taken_from_here),
        folder_test(what_is_no_folder_is_a_root_of_its_own),
        folder_test(a_root_that_cannot_be_reached_is_told),
        folder_test(missing_roots_yield_nothing_when_asked),
        folder_test(below_a_base_no_link_is_followed),
        folder_test(an_unreadable_root_is_an_entry),
        folder_test(a_long_place_is_reached),
        folder_test(facts_tell_where_the_roots_are),
        cmocka_unit_test(the_root_folder_is_a_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
