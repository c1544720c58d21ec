/*
 * The stack of folders: few handles at any depth, and a way back that is checked.
 */
#define _GNU_SOURCE
#include "disk/dirstack.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/check.h"
#include "support/folder.h"

static os_handle push(struct dirstack *s, os_handle folder)
{
    struct error err = {0};
    struct os_stat status;

    check_done(os_stat_handle(folder, &status, &err));
    check_done(dirstack_push(s, folder, &status, &err));
    return folder;
}

/* Pushes a new folder once more and then `depth` folders named "d" in one another, which are made.
 */
static void go_down(struct dirstack *s, const struct folder *f, int depth)
{
    struct error err = {0};
    os_handle folder;

    check_done(os_open_beneath(f->handle, bytes_make(NULL, 0), &folder, &err));
    push(s, folder);
    for (int i = 0; i < depth; i++) {
        check_done(os_make_dir(dirstack_top(s), "d", 0700, &err));
        check_done(os_open_dir(dirstack_top(s), "d", &folder, &err));
        push(s, folder);
    }
}

static uint64_t file_of(os_handle folder)
{
    struct error err = {0};
    struct os_stat status;

    check_done(os_stat_handle(folder, &status, &err));
    return status.file[0];
}

static void an_empty_stack_has_no_top(void **state)
{
    struct dirstack s;

    (void)state;
    dirstack_init(&s);
    assert_int_equal(dirstack_top(&s), OS_NO_HANDLE);
    dirstack_release(&s);
    dirstack_release(&(struct dirstack){0});
}

static void few_folders_are_open_at_any_depth(void **state)
{
    enum { DEPTH = 10000 };
    const struct folder *f = *state;
    struct error err = {0};
    struct dirstack s;

    dirstack_init(&s);
    go_down(&s, f, DEPTH);
    assert_int_equal(s.depth, DEPTH + 1);
    assert_int_equal(s.open_count, DIRSTACK_OPEN_LIMIT);
    for (size_t depth = DEPTH; depth > 0; depth--) {
        check_done(dirstack_pop(&s, &err));
        assert_int_equal(s.depth, depth);
        assert_int_equal(file_of(dirstack_top(&s)), s.levels[depth - 1].file[0]);
        assert_true(s.open_count <= DIRSTACK_OPEN_LIMIT);
        check_done(os_remove_dir(dirstack_top(&s), "d", &err));
    }
    check_done(dirstack_pop(&s, &err));
    assert_int_equal(s.open_count, 0);
    assert_int_equal(dirstack_top(&s), OS_NO_HANDLE);
    dirstack_release(&s);
}

static void going_down_again_after_coming_up(void **state)
{
    const struct folder *f = *state;
    struct error err = {0};
    struct dirstack s;
    os_handle folder;

    dirstack_init(&s);
    s.open_limit = 3;
    go_down(&s, f, 6);
    for (int i = 0; i < 4; i++)
        check_done(dirstack_pop(&s, &err));
    for (int i = 0; i < 4; i++) {
        check_done(os_open_dir(dirstack_top(&s), "d", &folder, &err));
        assert_int_equal(dirstack_top(&s), s.levels[s.depth - 1].handle);
        push(&s, folder);
        assert_int_equal(s.open_count, 3);
    }
    for (int i = 0; i < 6; i++)
        check_done(dirstack_pop(&s, &err));
    assert_int_equal(file_of(dirstack_top(&s)), file_of(f->handle));
    dirstack_release(&s);
}

static void a_folder_that_was_moved_away_is_noticed(void **state)
{
    const struct folder *f = *state;
    struct error err = {0};
    struct dirstack s;

    dirstack_init(&s);
    s.open_limit = 3;
    go_down(&s, f, 5);
    check_done(renameat((int)f->handle, "d/d/d/d", (int)f->handle, "moved"));
    check_done(dirstack_pop(&s, &err));
    check_kind(dirstack_pop(&s, &err), ERROR_CHANGED);
    assert_int_equal(dirstack_top(&s), OS_NO_HANDLE);
    check_kind(dirstack_pop(&s, &err), ERROR_CHANGED);
    check_kind(dirstack_pop(&s, &err), ERROR_CHANGED);
    assert_int_equal(s.depth, 2);
    check_done(dirstack_pop(&s, &err));
    assert_int_equal(file_of(dirstack_top(&s)), file_of(f->handle));
    dirstack_release(&s);
}

/* Where `..` does not lead back. */
static void the_folder_that_another_one_hangs_on_stays_open(void **state)
{
    const struct folder *f = *state;
    struct error err = {0};
    struct os_stat status;
    struct dirstack s;
    os_handle folder;
    uint64_t before;

    check_done(os_make_dir(f->handle, "apart", 0700, &err));
    dirstack_init(&s);
    s.open_limit = 3;
    go_down(&s, f, 4);
    before = file_of(dirstack_top(&s));
    check_done(os_open_dir(f->handle, "apart", &folder, &err));
    check_done(os_stat_handle(folder, &status, &err));
    check_done(dirstack_push_apart(&s, folder, &status, &err));
    for (int i = 0; i < 5; i++) {
        check_done(os_make_dir(dirstack_top(&s), "d", 0700, &err));
        check_done(os_open_dir(dirstack_top(&s), "d", &folder, &err));
        push(&s, folder);
        assert_int_equal(s.open_count, 3);
    }
    for (int i = 0; i < 6; i++)
        check_done(dirstack_pop(&s, &err));
    assert_int_equal(file_of(dirstack_top(&s)), before);
    /* From there the way up is the usual one, and so is the way down. */
    check_done(dirstack_pop(&s, &err));
    check_done(dirstack_pop(&s, &err));
    check_done(os_open_dir(dirstack_top(&s), "d", &folder, &err));
    push(&s, folder);
    assert_true(s.open_count <= 3);
    for (int i = 0; i < 3; i++)
        check_done(dirstack_pop(&s, &err));
    assert_int_equal(file_of(dirstack_top(&s)), file_of(f->handle));
    assert_int_equal(s.open_count, 1);
    dirstack_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_stack_has_no_top),
        cmocka_unit_test_setup_teardown(few_folders_are_open_at_any_depth, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(going_down_again_after_coming_up, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(a_folder_that_was_moved_away_is_noticed, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(the_folder_that_another_one_hangs_on_stays_open,
                                        folder_setup, folder_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
