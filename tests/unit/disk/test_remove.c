/*
 * Paths to be removed: what cannot be meant, links with slashes behind them, what is spared.
 */
#include "disk/remove.h"

#include <stdio.h>
#include <string.h>

#include "support/check.h"
#include "support/folder.h"

static struct error err;

/* What a removal told, names with a space behind each. */
struct told {
    char gone[500], failed[500];
};

static void append(char *text, size_t room, struct bytes name)
{
    size_t used = strlen(text);

    (void)snprintf(text + used, room - used, "%.*s ", (int)name.size, (const char *)name.data);
}

static void on_gone(void *context, struct bytes below, enum os_kind kind)
{
    struct told *t = context;

    (void)kind;
    append(t->gone, sizeof t->gone, below);
}

static void on_failed(void *context, struct bytes below, struct error *problem)
{
    struct told *t = context;

    append(t->failed, sizeof t->failed, below);
    error_release(problem);
}

static bool spares_keep(void *context, const struct removal_name *n)
{
    const char *end = (const char *)n->below.data + n->below.size;
    struct os_stat status;

    (void)context;
    check_done(os_stat_at(n->folder, n->name, &status, &err));
    assert_int_equal(status.kind == OS_DIRECTORY, n->is_folder);
    return n->below.size >= 4 && memcmp(end - 4, "keep", 4) == 0;
}

/* Removes a name of the folder; what was told. */
static struct told run(const struct folder *f, const char *name, struct removal task)
{
    struct told told = {{0}, {0}};
    struct remove_place place;
    char path[400];

    (void)snprintf(path, sizeof path, "%s/%s", f->path, name);
    task.told = on_gone;
    task.failed = on_failed;
    task.context = &told;
    check_done(remove_find(&place, path, &err));
    if (remove_run(&place, &task, &err))
        error_release(&err);
    remove_release(&place);
    return told;
}

static void make_tree(const struct folder *f)
{
    os_handle tree, inner;

    check_done(os_make_dir(f->handle, "tree", 0700, &err));
    check_done(os_open_dir(f->handle, "tree", &tree, &err));
    folder_write(tree, "file", 0600, "");
    check_done(os_make_dir(tree, "inner", 0700, &err));
    check_done(os_open_dir(tree, "inner", &inner, &err));
    folder_write(inner, "gone", 0600, "");
    folder_write(inner, "keep", 0600, "");
    os_close(inner);
    os_close(tree);
}

static bool is_there(const struct folder *f, const char *name)
{
    struct os_stat status;

    return os_stat_at(f->handle, name, &status, NULL) == 0;
}

static void test_what_cannot_be_meant(void **state)
{
    static const char *const paths[] = {"", "/", "//", ".", "..", "./", "x/..", "x/.", "/.."};
    struct remove_place place;

    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        check_kind(remove_find(&place, paths[i], &err), ERROR_USAGE);
        remove_release(&place);
    }
    assert_int_equal(remove_find(&place, "/not/there", &err), -1);
    assert_true(os_error_is_missing(&err));
    error_release(&err);
    remove_release(&place);
}

static void test_a_link_with_a_slash_is_a_link(void **state)
{
    struct folder *f = *state;

    make_tree(f);
    check_done(os_make_symlink(f->handle, "link", bytes_of("tree"), &err));
    struct told told = run(f, "link//", (struct removal){.mode = REMOVAL_DO});
    assert_string_equal(told.gone, "link ");
    assert_true(is_there(f, "tree"));
    assert_false(is_there(f, "link"));
}

static void test_looking_tells_and_leaves(void **state)
{
    struct folder *f = *state;

    make_tree(f);
    struct told look = run(f, "tree", (struct removal){.mode = REMOVAL_LOOK});
    assert_true(is_there(f, "tree"));
    struct told done = run(f, "tree", (struct removal){.mode = REMOVAL_DO});
    assert_false(is_there(f, "tree"));
    assert_string_equal(look.gone, done.gone);
    assert_string_equal(done.gone, "tree/file tree/inner/gone tree/inner/keep tree/inner tree ");
    assert_string_equal(done.failed, "");
}

static void test_what_is_spared_keeps_its_folders(void **state)
{
    struct folder *f = *state;

    make_tree(f);
    for (int i = 0; i < 2; i++) {
        struct removal task = {.mode = i ? REMOVAL_DO : REMOVAL_LOOK, .spares = spares_keep};
        struct told told = run(f, "tree", task);
        assert_string_equal(told.gone, "tree/file tree/inner/gone ");
        assert_string_equal(told.failed, "");
    }
    assert_true(is_there(f, "tree"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_cannot_be_meant),
        cmocka_unit_test_setup_teardown(test_a_link_with_a_slash_is_a_link, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(test_looking_tells_and_leaves, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(test_what_is_spared_keeps_its_folders, folder_setup,
                                        folder_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
