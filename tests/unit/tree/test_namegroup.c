/* namegroup.h: which names are one file, and how little it takes to know. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/list_source.h"
#include "tree/namegroup.h"
#include "tree/pathnode.h"

/* Runs the stream and writes "path" or "path=first name" of each entry, "+" behind shared first
 * names. */
static struct namegroup_counts groups_in(struct list_source *l, bool count_is_hint, char *out)
{
    struct error err = {0};
    struct source *s = NULL;
    const struct entry *e = NULL;
    struct namegroup_options options = {.count_is_hint = count_is_hint};
    assert_int_equal(namegroup_new(list_source(l), options, &s, &err), 0);
    *out = '\0';
    int got;
    while ((got = source_next(s, &e, &err)) > 0) {
        assert_int_equal(source_load(s, &e, &err), 0);
        strcat(out, *out != '\0' ? " " : "");
        strncat(out, (const char *)e->path.data, e->path.size);
        strcat(out, e->shared ? "+" : "");
        strcat(out, entry_is_further_name(e) ? "=" : "");
        strncat(out, e->first_name.size > 0 ? (const char *)e->first_name.data : "",
                e->first_name.size);
    }
    assert_int_equal(got, 0);
    struct namegroup_counts counts = namegroup_counts(s);
    source_close(s);
    return counts;
}

static void test_groups(void **state)
{
    char out[500];
    (void)state;
    struct list_source *l = list_source_new();
    list_add(l, ENTRY_DIRECTORY, "t");
    list_file(l, "t/a", "four");
    list_add(l, ENTRY_DIRECTORY, "t/b");
    list_name(l, "t/b/x", "t/a");
    list_link(l, "t/b/y", "target");
    list_file(l, "t/c", "");
    list_name(l, "t/d", "t/a");
    list_name(l, "t/e", "t/b/y");
    struct namegroup_counts counts = groups_in(l, false, out);
    assert_string_equal(out, "t t/a+ t/b t/b/x=t/a t/b/y+ t/c t/d=t/a t/e=t/b/y");
    assert_int_equal(counts.groups, 2);
    assert_int_equal(counts.names, 5);
    assert_int_equal(counts.saved_bytes, 8);
    assert_int_equal(counts.partial_groups, 0);
    assert_int_equal(counts.outside_names, 0);
}

static void test_names_at_the_top(void **state)
{
    char out[500];
    (void)state;
    struct list_source *l = list_source_new();
    list_file(l, "a", "x");
    list_name(l, "b", "a");
    groups_in(l, false, out);
    assert_string_equal(out, "a+ b=a");
}

static void test_outside_names(void **state)
{
    char out[500];
    (void)state;
    struct list_source *l = list_source_new();
    list_file(l, "t/a", "four");
    list_name(l, "t/b", "t/a");
    list_at(l, "t/a")->link_count = list_at(l, "t/b")->link_count = 5;
    list_file(l, "t/c", "")->link_count = 2;
    struct namegroup_counts counts = groups_in(l, false, out);
    assert_string_equal(out, "t/a+ t/b=t/a t/c+");
    assert_int_equal(counts.groups, 1);
    assert_int_equal(counts.partial_groups, 2);
    assert_int_equal(counts.outside_names, 4);
}

static void test_count_is_a_hint(void **state)
{
    char out[500];
    (void)state;
    struct list_source *l = list_source_new();
    list_file(l, "t/a", "four");
    list_name(l, "t/b", "t/a");
    list_name(l, "t/c", "t/a");
    list_at(l, "t/a")->link_count = list_at(l, "t/b")->link_count = 2;
    struct namegroup_counts counts = groups_in(l, true, out);
    assert_string_equal(out, "t/a+ t/b=t/a t/c=t/a");
    assert_int_equal(counts.outside_names, 0);
}

static void test_unknown_count(void **state)
{
    char out[500];
    (void)state;
    struct list_source *l = list_source_new();
    list_file(l, "t/a", "four");
    list_name(l, "t/b", "t/a");
    list_at(l, "t/a")->link_count = list_at(l, "t/b")->link_count = 0;
    groups_in(l, false, out);
    assert_string_equal(out, "t/a t/b=t/a");
}

static void test_reused_inode(void **state)
{
    char out[500];
    (void)state;
    struct list_source *l = list_source_new();
    list_file(l, "t/a", "four");
    list_name(l, "t/b", "t/a")->meta.mtime.nanoseconds = 6;
    list_name(l, "t/c", "t/b");
    struct namegroup_counts counts = groups_in(l, false, out);
    assert_string_equal(out, "t/a+ t/b+ t/c=t/b");
    assert_int_equal(counts.groups, 1);
    assert_int_equal(counts.outside_names, 1);
}

static void test_group_leaves_with_its_last_name(void **state)
{
    char out[500];
    (void)state;
    struct list_source *l = list_source_new();
    list_file(l, "t/a", "four");
    list_name(l, "t/b", "t/a");
    list_name(l, "t/c", "t/a");
    list_at(l, "t/a")->link_count = list_at(l, "t/b")->link_count = 2;
    list_at(l, "t/c")->link_count = 2;
    groups_in(l, false, out);
    /* The third name is over the count, so it must be another file under the same number. */
    assert_string_equal(out, "t/a+ t/b=t/a t/c+");
}

static void test_what_has_no_group(void **state)
{
    char out[500];
    (void)state;
    struct list_source *l = list_source_new();
    struct entry *folder = list_add(l, ENTRY_DIRECTORY, "t");
    folder->link_count = 7;
    list_problem(l, PROBLEM_ENTRY, "t/a")->identity = folder->identity;
    list_problem(l, PROBLEM_CONTENT, "t");
    list_file(l, "t/b", "")->identity = (struct identity){0};
    groups_in(l, false, out);
    assert_string_equal(out, "t t t/a t/b");
}

static void test_volumes_are_apart(void **state)
{
    char out[500];
    (void)state;
    struct list_source *l = list_source_new();
    list_file(l, "t/a", "");
    list_name(l, "t/b", "t/a")->identity.volume = 2;
    list_name(l, "t/c", "t/a");
    list_name(l, "t/d", "t/b")->link_count = 3;
    groups_in(l, false, out);
    assert_string_equal(out, "t/a+ t/b+ t/c=t/a t/d=t/b");
}

static void test_find_joins_nothing(void **state)
{
    struct error err = {0};
    struct source *s = NULL;
    const struct entry *e = NULL;
    (void)state;
    struct list_source *l = list_source_new();
    list_file(l, "t/a", "");
    list_name(l, "t/b", "t/a");
    assert_int_equal(namegroup_new(list_source(l), (struct namegroup_options){0}, &s, &err), 0);
    assert_int_equal(source_next(s, &e, &err), 1);
    assert_int_equal(source_find(s, bytes_of("t/b"), &e, &err), 1);
    assert_false(entry_is_further_name(e));
    assert_int_equal(source_find(s, bytes_of("t/x"), &e, &err), 0);
    assert_int_equal(namegroup_counts(s).names, 0);
    source_close(s);
}

static void test_paths_share_nodes(void **state)
{
    struct error err = {0};
    struct pathtree tree = {0};
    struct buffer out = {0};
    struct pathnode *kept[4];
    const char *paths[] = {"a/b/c", "a/b/d", "a/x", "a"};
    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pathtree_hold(&tree, bytes_of(paths[i]), &kept[i], &err), 0);
    pathtree_release(&tree);
    for (int i = 0; i < 4; i++) {
        buffer_clear(&out);
        assert_int_equal(pathnode_append(kept[i], &out, &err), 0);
        assert_true(bytes_equal(buffer_bytes(&out), bytes_of(paths[i])));
        pathnode_drop(kept[i]);
    }
    assert_int_equal(pathtree_hold(&tree, bytes_of(""), &kept[0], &err), 0);
    assert_null(kept[0]);
    pathtree_release(&tree);
    buffer_release(&out);
}

static void test_deep_path_is_dropped_without_recursion(void **state)
{
    enum { LEVELS = 100000 };
    struct error err = {0};
    struct pathtree tree = {0};
    struct pathnode *n = NULL;
    struct buffer path = {0};
    (void)state;
    for (int i = 0; i < LEVELS; i++)
        assert_int_equal(buffer_append(&path, i > 0 ? "/d" : "d", i > 0 ? 2 : 1, &err), 0);
    assert_int_equal(pathtree_hold(&tree, buffer_bytes(&path), &n, &err), 0);
    pathtree_release(&tree);
    pathnode_drop(n);
    buffer_release(&path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_names_at_the_top),
        cmocka_unit_test(test_outside_names),
        cmocka_unit_test(test_count_is_a_hint),
        cmocka_unit_test(test_unknown_count),
        cmocka_unit_test(test_reused_inode),
        cmocka_unit_test(test_group_leaves_with_its_last_name),
        cmocka_unit_test(test_what_has_no_group),
        cmocka_unit_test(test_volumes_are_apart),
        cmocka_unit_test(test_find_joins_nothing),
        cmocka_unit_test(test_paths_share_nodes),
        cmocka_unit_test(test_deep_path_is_dropped_without_recursion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
