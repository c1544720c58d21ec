/* inventory.h: counts, groups, and where links lead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/list_source.h"
#include "tree/inventory.h"

static struct inventory *take_stock(struct list_source *l, struct inventory_resolver *resolver)
{
    struct error err = {0};
    struct inventory *v = NULL;
    const struct entry *e = NULL;
    assert_int_equal(inventory_new(resolver, &v, &err), 0);
    while (source_next(list_source(l), &e, &err) > 0)
        assert_int_equal(inventory_add(v, e, &err), 0);
    assert_int_equal(inventory_finish(v, list_facts(l), &err), 0);
    return v;
}

/* The state of one link "t/f/l" in a tree with a folder t/f, a file t/f/file, and links that loop
 * and chain. */
static const char *state_of(const char *target, const char *absolute)
{
    struct list_source *l = list_source_new();
    struct root_fact root = {.name = "t", .absolute_path = absolute};
    list_facts(l)->roots = &root;
    list_add(l, ENTRY_DIRECTORY, "t");
    list_add(l, ENTRY_DIRECTORY, "t/f");
    list_file(l, "t/f/file", "");
    list_link(l, "t/f/l", target);
    list_link(l, "t/round", "trip");
    list_link(l, "t/trip", "round");
    list_link(l, "t/f/self", "self");
    list_link(l, "t/to-f", "f");
    list_link(l, "t/chain", "to-f/file");
    list_link(l, "t/root", "/home/t/f");
    list_link(l, "t/out", "/etc");
    struct inventory *v = take_stock(l, NULL);
    const char *state = NULL;
    for (size_t i = 0; i < inventory_link_count(v); i++) {
        const struct inventory_link *link = inventory_link_at(v, i);
        if (bytes_equal(link->path, bytes_of("t/f/l")))
            state = target_state_name(link->state);
    }
    inventory_free(v);
    source_close(list_source(l));
    assert_non_null(state);
    return state;
}

static void test_relative_targets(void **state)
{
    (void)state;
    assert_string_equal(state_of("file", ""), "inside");
    assert_string_equal(state_of("./file", ""), "inside");
    assert_string_equal(state_of("..", ""), "inside");
    assert_string_equal(state_of("../f/../f/file", ""), "inside");
    assert_string_equal(state_of("none", ""), "dangling");
    assert_string_equal(state_of("file/", ""), "dangling");
    assert_string_equal(state_of("file/x", ""), "dangling");
    assert_string_equal(state_of("../f/", ""), "inside");
    assert_string_equal(state_of("../../..", ""), "outside");
    assert_string_equal(state_of("", ""), "dangling");
}

static void test_targets_through_links(void **state)
{
    (void)state;
    assert_string_equal(state_of("../chain", ""), "inside");
    assert_string_equal(state_of("../to-f/file", ""), "inside");
    assert_string_equal(state_of("../to-f/../f/file", ""), "inside");
    assert_string_equal(state_of("../to-f/none", ""), "dangling");
    assert_string_equal(state_of("../round", ""), "looping");
    assert_string_equal(state_of("self", ""), "looping");
    assert_string_equal(state_of("l", ""), "looping");
    assert_string_equal(state_of("l/x", ""), "looping");
    assert_string_equal(state_of("../out/passwd", ""), "outside");
    assert_string_equal(state_of("../root/file", "/home/t"), "inside");
    assert_string_equal(state_of("../chain/", ""), "dangling");
}

static void test_absolute_targets(void **state)
{
    (void)state;
    assert_string_equal(state_of("/home/t/f/file", "/home/t"), "inside");
    assert_string_equal(state_of("/home/t", "/home/t"), "inside");
    assert_string_equal(state_of("//home/./x/../t//f", "/home/t"), "inside");
    assert_string_equal(state_of("/home/t/none", "/home/t"), "dangling");
    assert_string_equal(state_of("/home/t2", "/home/t"), "outside");
    assert_string_equal(state_of("/home/t/f", ""), "outside");
    assert_string_equal(state_of("/f/file", "/"), "inside");
    assert_string_equal(state_of("/", "/"), "inside");
    assert_string_equal(state_of("../../t/f/file", "/home/t"), "inside");
    assert_string_equal(state_of("../../other", "/home/t"), "outside");
    assert_string_equal(state_of("../../f/file", "/"), "inside");
}

static void test_forty_hops(void **state)
{
    static char names[60][12];
    (void)state;
    struct list_source *l = list_source_new();
    list_add(l, ENTRY_DIRECTORY, "t");
    list_file(l, "t/l00", "");
    strcpy(names[0], "t/l00");
    for (int i = 1; i < 45; i++) {
        strcpy(names[i], "t/l00");
        names[i][3] = (char)('0' + i / 10);
        names[i][4] = (char)('0' + i % 10);
        list_link(l, names[i], names[i - 1] + 2);
    }
    struct inventory *v = take_stock(l, NULL);
    assert_int_equal(inventory_counts(v)->inside, 40);
    assert_int_equal(inventory_counts(v)->looping, 4);
    inventory_free(v);
    source_close(list_source(l));
}

static void test_counts(void **state)
{
    (void)state;
    struct list_source *l = list_source_new();
    list_add(l, ENTRY_DIRECTORY, "t");
    list_file(l, "t/a", "four");
    list_name(l, "t/b", "t/a");
    list_name(l, "t/c", "t/a");
    list_file(l, "t/d", "three");
    list_link(l, "t/l", "a");
    list_link(l, "t/m", "/x");
    list_add(l, ENTRY_FIFO, "t/p");
    list_add(l, ENTRY_SOCKET, "t/s");
    list_add(l, ENTRY_CHAR_DEVICE, "t/v");
    list_add(l, ENTRY_BLOCK_DEVICE, "t/w");
    list_problem(l, PROBLEM_ENTRY, "t/x");
    list_problem(l, PROBLEM_CONTENT, "t");
    list_as_archive(l);
    list_at(l, "t/a")->link_count = 5;
    struct inventory *v = take_stock(l, NULL);
    const struct inventory_counts *c = inventory_counts(v);
    assert_int_equal(c->entries, 12);
    assert_int_equal(c->directories, 1);
    assert_int_equal(c->files, 4);
    assert_int_equal(c->symlinks, 2);
    assert_int_equal(c->fifos, 1);
    assert_int_equal(c->sockets, 1);
    assert_int_equal(c->devices, 2);
    assert_int_equal(c->problems, 2);
    assert_int_equal(c->groups, 1);
    assert_int_equal(c->group_names, 3);
    assert_int_equal(c->saved_bytes, 8);
    assert_int_equal(c->partial_groups, 1);
    assert_int_equal(c->outside_names, 2);
    assert_int_equal(c->file_bytes, 9);
    assert_int_equal(c->absolute, 1);
    assert_int_equal(c->relative, 1);
    assert_int_equal(inventory_group_count(v), 1);
    const struct inventory_group *g = inventory_group_at(v, 0);
    assert_int_equal(g->name_count, 3);
    assert_int_equal(g->link_count, 5);
    assert_true(bytes_equal(g->names[2], bytes_of("t/c")));
    inventory_free(v);
    source_close(list_source(l));
}

static void test_groups_are_sorted(void **state)
{
    (void)state;
    struct list_source *l = list_source_new();
    list_facts(l)->ordered = false;
    list_file(l, "t/z", "");
    list_name(l, "t/y", "t/z")->first_name = bytes_of("t/z");
    list_file(l, "t/b", "");
    list_name(l, "t/a", "t/b")->first_name = bytes_of("t/b");
    struct inventory *v = take_stock(l, NULL);
    assert_int_equal(inventory_group_count(v), 2);
    assert_true(bytes_equal(inventory_group_at(v, 0)->names[0], bytes_of("t/a")));
    assert_true(bytes_equal(inventory_group_at(v, 1)->names[1], bytes_of("t/z")));
    inventory_free(v);
    source_close(list_source(l));
}

static int say_looping(struct inventory_resolver *r, const struct entry *e,
                       enum target_state *state, struct error *err)
{
    (void)r;
    (void)e;
    (void)err;
    *state = TARGET_LOOPING;
    return 0;
}

static void test_resolver_decides(void **state)
{
    struct inventory_resolver resolver = {say_looping};
    (void)state;
    struct list_source *l = list_source_new();
    list_link(l, "t/l", "nowhere");
    struct inventory *v = take_stock(l, &resolver);
    assert_int_equal(inventory_counts(v)->looping, 1);
    inventory_free(v);
    source_close(list_source(l));
}

static void test_windows_targets_are_unknown(void **state)
{
    (void)state;
    struct list_source *l = list_source_new();
    list_facts(l)->host_system = "windows";
    list_link(l, "t/l", "C:\\x");
    list_link(l, "t/m", "..\\x");
    struct inventory *v = take_stock(l, NULL);
    assert_int_equal(inventory_counts(v)->unknown, 2);
    assert_int_equal(inventory_link_at(v, 0)->form, TARGET_DRIVE_ABSOLUTE);
    inventory_free(v);
    source_close(list_source(l));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_relative_targets), cmocka_unit_test(test_targets_through_links),
        cmocka_unit_test(test_absolute_targets), cmocka_unit_test(test_forty_hops),
        cmocka_unit_test(test_counts),           cmocka_unit_test(test_groups_are_sorted),
        cmocka_unit_test(test_resolver_decides), cmocka_unit_test(test_windows_targets_are_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
