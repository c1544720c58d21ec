/* filter.h and pattern.h: which entries pass, and which folders are not gone into. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/list_source.h"
#include "tree/filter.h"
#include "tree/pattern.h"

static bool match(const char *pattern, const char *text)
{
    return pattern_match(bytes_of(pattern), bytes_of(text));
}

static void test_pattern_stars(void **state)
{
    (void)state;
    assert_true(match("", ""));
    assert_false(match("", "a"));
    assert_true(match("*", "") && match("*", "abc") && match("a*", "a"));
    assert_false(match("*", "a/b"));
    assert_true(match("*.c", "x.c") && match("*.c", ".c"));
    assert_false(match("*.c", "x.cc"));
    assert_true(match("a*b*c", "aXbXbXc"));
    assert_true(match("?", "a"));
    assert_false(match("?", "/") || match("?", "") || match("?", "ab"));
    assert_true(match("a?c", "abc"));
    assert_true(match("*a", "\xff\xfe"
                            "a"));
}

static void test_pattern_deep(void **state)
{
    (void)state;
    assert_true(match("a/**", "a/b") && match("a/**", "a/b/c"));
    assert_false(match("a/**", "a"));
    assert_true(match("**/a", "a") && match("**/a", "x/a") && match("**/a", "x/y/a"));
    assert_false(match("**/a", "xa") || match("**/a", "x/ya"));
    assert_true(match("a/**/b", "a/b") && match("a/**/b", "a/x/y/b"));
    assert_false(match("a/**/b", "a/xb"));
    assert_true(match("a**b", "a/x/b") && match("a**b", "ab"));
    assert_true(match("**/x*y/*.c", "p/xy/xzy/f.c"));
    assert_false(match("**/x*y/*.c", "p/x/y/f.c"));
    assert_true(match("**a*b/c", "x/a/ab/c"));
}

static void test_pattern_sets(void **state)
{
    (void)state;
    assert_true(match("[abc]", "b") && match("[a-c]x", "cx"));
    assert_false(match("[a-c]", "d") || match("[a-c]", "") || match("[!/]", "/"));
    assert_true(match("[!a]", "b") && match("[^a]", "b"));
    assert_false(match("[!a]", "a") || match("[!a]", "/"));
    assert_true(match("[]a]", "]") && match("[!]a]", "b") && match("[a-]", "-"));
    assert_true(match("[[:digit:][:upper:]]", "7") && match("[[:digit:][:upper:]]", "Q"));
    assert_false(match("[[:digit:]]", "a") || match("[[:nonsense:]]", "a"));
    assert_true(match("[\\]]", "]") && match("[\\a-\\c]", "b"));
    assert_true(match("[\x80-\xff]", "\xe4"));
    assert_true(match("[a", "[a") && match("[", "[") && match("a[", "a["));
}

static void test_pattern_escapes(void **state)
{
    (void)state;
    assert_true(match("\\*", "*") && match("a\\?", "a?") && match("\\[a]", "[a]"));
    assert_false(match("\\*", "a"));
    assert_true(match("\\", "\\"));
    assert_true(match("\\\\", "\\"));
}

static void test_pattern_is_not_exponential(void **state)
{
    char pattern[200] = "", text[4000];
    (void)state;
    for (int i = 0; i < 40; i++)
        strcat(pattern, i % 8 == 7 ? "**a" : "*a");
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    strcat(pattern, "b");
    assert_false(match(pattern, text));
}

static void test_anchors(void **state)
{
    (void)state;
    struct bytes deep = bytes_of("proj/x/build"), top = bytes_of("proj/build");
    assert_true(filter_match("build", deep, false) && filter_match("build", top, true));
    assert_true(filter_match("/build", top, false));
    assert_false(filter_match("/build", deep, false));
    assert_true(filter_match("x/build", deep, false) && filter_match("/x/build", deep, false));
    assert_false(filter_match("x/build", bytes_of("proj/y/x/build"), false));
    assert_true(filter_match("**/x/build", bytes_of("proj/y/x/build"), false));
    assert_true(filter_match("build/", top, true));
    assert_false(filter_match("build/", top, false));
    assert_true(filter_match("/build/", top, true));
    assert_false(filter_match("proj", bytes_of("proj"), true));
    assert_false(filter_match("*", bytes_of("proj"), true));
    assert_false(filter_match("", top, true) || filter_match("/", top, true));
}

/* Runs a filter over a list and writes the paths that pass into `out`, separated by blanks. Closes
 * the list. */
static void passing(struct list_source *l, const struct filter_options *options, char *out)
{
    struct error err = {0};
    struct source *s = NULL;
    const struct entry *e = NULL;
    int got;
    assert_int_equal(filter_new(list_source(l), options, &s, &err), 0);
    *out = '\0';
    while ((got = source_next(s, &e, &err)) > 0) {
        strcat(out, *out != '\0' ? " " : "");
        strncat(out, (const char *)e->path.data, e->path.size);
    }
    assert_int_equal(got, 0);
    source_close(s);
}

static struct list_source *sample(void)
{
    struct list_source *l = list_source_new();
    list_add(l, ENTRY_DIRECTORY, "t");
    list_add(l, ENTRY_DIRECTORY, "t/a");
    list_file(l, "t/a/f.c", "");
    list_file(l, "t/a/f.o", "");
    list_add(l, ENTRY_DIRECTORY, "t/b");
    list_add(l, ENTRY_DIRECTORY, "t/b/a");
    list_file(l, "t/b/a/keep.o", "");
    list_file(l, "t/c", "");
    return l;
}

static void test_rules_in_order(void **state)
{
    char out[500];
    (void)state;
    const struct filter_rule rules[] = {{FILTER_INCLUDE, "keep.*"}, {FILTER_EXCLUDE, "*.o"}};
    struct filter_options options = {.rules = rules, .rule_count = 2};
    passing(sample(), &options, out);
    assert_string_equal(out, "t t/a t/a/f.c t/b t/b/a t/b/a/keep.o t/c");
    const struct filter_rule reversed[] = {{FILTER_EXCLUDE, "*.o"}, {FILTER_INCLUDE, "keep.*"}};
    options.rules = reversed;
    passing(sample(), &options, out);
    assert_string_equal(out, "t t/a t/a/f.c t/b t/b/a t/c");
}

static void test_excluded_folder_is_skipped(void **state)
{
    char out[500];
    (void)state;
    const struct filter_rule rules[] = {{FILTER_EXCLUDE, "/a/"}};
    struct filter_options options = {.rules = rules, .rule_count = 1};
    passing(sample(), &options, out);
    assert_string_equal(out, "t t/b t/b/a t/b/a/keep.o t/c");
}

static void test_excluded_folder_without_order(void **state)
{
    char out[500];
    (void)state;
    struct list_source *l = list_source_new();
    list_facts(l)->ordered = false;
    list_file(l, "t/a/f", "");
    list_file(l, "t/b", "");
    list_add(l, ENTRY_DIRECTORY, "t/a");
    const struct filter_rule rules[] = {{FILTER_EXCLUDE, "a"}};
    struct filter_options options = {.rules = rules, .rule_count = 1};
    passing(l, &options, out);
    assert_string_equal(out, "t/b");
}

static void test_chosen_paths(void **state)
{
    char out[500];
    struct error err = {0};
    struct source *s = NULL;
    const struct entry *e = NULL;
    (void)state;
    const struct bytes paths[] = {bytes_of("t/b/a"), bytes_of("t/c"), bytes_of("t/none")};
    struct filter_options options = {.paths = paths, .path_count = 3};
    passing(sample(), &options, out);
    assert_string_equal(out, "t t/b t/b/a t/b/a/keep.o t/c");
    assert_int_equal(filter_new(list_source(sample()), &options, &s, &err), 0);
    while (source_next(s, &e, &err) > 0)
        continue;
    assert_int_equal(filter_unmatched(s, 0), 2);
    assert_int_equal(filter_unmatched(s, 3), 3);
    source_close(s);
}

/* Folders on the way are marked, before and after they are loaded; what was asked for is not. */
static void test_folders_on_the_way_are_marked(void **state)
{
    struct error err = {0};
    struct source *s = NULL;
    const struct entry *e = NULL;
    const struct bytes paths[] = {bytes_of("t/b/a"), bytes_of("t/b/a/keep.o")};
    struct filter_options options = {.paths = paths, .path_count = 2};
    (void)state;
    assert_int_equal(filter_new(list_source(sample()), &options, &s, &err), 0);
    while (source_next(s, &e, &err) > 0) {
        bool on_the_way = e->path.size < strlen("t/b/a");
        assert_int_equal(e->passage, on_the_way);
        assert_int_equal(source_load(s, &e, &err), 0);
        assert_int_equal(e->passage, on_the_way);
    }
    source_close(s);
}

static void test_file_on_the_way_does_not_pass(void **state)
{
    char out[500];
    (void)state;
    const struct bytes paths[] = {bytes_of("t/c/x")};
    struct filter_options options = {.paths = paths, .path_count = 1};
    passing(sample(), &options, out);
    assert_string_equal(out, "t");
}

static int probe_b(struct filter_probe *p, struct source *inner, const struct entry *e,
                   struct error *err)
{
    (void)p;
    (void)inner;
    (void)err;
    return bytes_equal(entry_name(e), bytes_of("b"));
}

static void test_marked_folder_stays_alone(void **state)
{
    char out[500];
    (void)state;
    struct filter_probe probe = {probe_b};
    struct filter_options options = {.probe = &probe};
    passing(sample(), &options, out);
    assert_string_equal(out, "t t/a t/a/f.c t/a/f.o t/b t/c");
}

static void test_marked_folder_says_that_its_content_is_left_out(void **state)
{
    struct error err = {0};
    struct filter_probe probe = {probe_b};
    struct filter_options options = {.probe = &probe};
    struct source *s = NULL;
    const struct entry *e = NULL;
    (void)state;
    assert_int_equal(filter_new(list_source(sample()), &options, &s, &err), 0);
    while (source_next(s, &e, &err) == 1)
        assert_int_equal(e->content_left_out, bytes_equal(entry_name(e), bytes_of("b")));
    source_close(s);
}

static void test_find_is_filtered(void **state)
{
    struct error err = {0};
    struct source *s = NULL;
    const struct entry *e = NULL;
    (void)state;
    const struct filter_rule rules[] = {{FILTER_EXCLUDE, "/a"}};
    struct filter_options options = {.rules = rules, .rule_count = 1};
    assert_int_equal(filter_new(list_source(sample()), &options, &s, &err), 0);
    assert_int_equal(source_find(s, bytes_of("t/a/f.c"), &e, &err), 0);
    assert_int_equal(source_find(s, bytes_of("t/c"), &e, &err), 1);
    assert_int_equal(source_find(s, bytes_of("t/x"), &e, &err), 0);
    source_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pattern_stars),
        cmocka_unit_test(test_pattern_deep),
        cmocka_unit_test(test_pattern_sets),
        cmocka_unit_test(test_pattern_escapes),
        cmocka_unit_test(test_pattern_is_not_exponential),
        cmocka_unit_test(test_anchors),
        cmocka_unit_test(test_rules_in_order),
        cmocka_unit_test(test_excluded_folder_is_skipped),
        cmocka_unit_test(test_excluded_folder_without_order),
        cmocka_unit_test(test_chosen_paths),
        cmocka_unit_test(test_folders_on_the_way_are_marked),
        cmocka_unit_test(test_file_on_the_way_does_not_pass),
        cmocka_unit_test(test_marked_folder_stays_alone),
        cmocka_unit_test(test_marked_folder_says_that_its_content_is_left_out),
        cmocka_unit_test(test_find_is_filtered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
