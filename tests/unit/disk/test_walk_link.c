/*
 * A link of a walk in whose place the folder comes that it leads to.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/check.h"
#include "support/stream.h"
#include "support/walked.h"

static void make_tree(const struct folder *f)
{
    walked_dir(f, "d");
    walked_dir(f, "d/in");
    walked_file(f, "d/in/x");
    walked_file(f, "d/y");
    walked_dir(f, "tree");
    walked_link(f, "../d", "tree/l");
    walked_file(f, "tree/m");
}

/* A walk that has come to the link. */
static struct source *walked_to_link(const struct folder *f)
{
    struct source *s = walked(f);
    const struct entry *e = stream_until(s, "t/tree/l");

    assert_int_equal(e->kind, ENTRY_SYMLINK);
    return s;
}

static void its_content_comes_below_its_name(void **state)
{
    const struct folder *f = *state;
    struct error err = {0};
    const struct entry *e;
    struct os_stat status;
    os_handle folder;

    make_tree(f);
    check_done(os_stat_at(f->handle, "d", &status, &err));
    struct source *s = walked_to_link(f);
    assert_int_equal(walk_link_follow(s, NULL, &folder, &err), 1);
    check_done(walk_link_enter(s, folder, &e, &err));
    assert_int_equal(e->kind, ENTRY_DIRECTORY);
    assert_true(bytes_equal(e->path, bytes_of("t/tree/l")));
    assert_int_equal(e->identity.file[0], status.file[0]);
    check_done(source_load(s, &e, &err));
    assert_true(e->meta.known & METADATA_XATTRS);
    check_stream(s, "d:t/tree/l/in f:t/tree/l/in/x f:t/tree/l/y f:t/tree/m");
    source_close(s);
}

static void it_can_be_skipped(void **state)
{
    const struct folder *f = *state;
    struct error err = {0};
    const struct entry *e;
    os_handle folder;

    make_tree(f);
    walked_dir(f, "tree/z");
    walked_file(f, "tree/z/1");
    struct source *s = walked_to_link(f);
    assert_int_equal(walk_link_follow(s, NULL, &folder, &err), 1);
    check_done(walk_link_enter(s, folder, &e, &err));
    source_skip(s);
    check_stream(s, "f:t/tree/m d:t/tree/z f:t/tree/z/1");
    source_close(s);
}

static void a_link_that_is_left_alone_is_a_link(void **state)
{
    const struct folder *f = *state;

    make_tree(f);
    struct source *s = walked_to_link(f);
    check_stream(s, "f:t/tree/m");
    source_close(s);
}

static void what_leads_to_no_folder_is_an_error(void **state)
{
    const struct folder *f = *state;
    struct error err = {0};
    os_handle folder;

    walked_dir(f, "tree");
    walked_file(f, "file");
    walked_link(f, "../file", "tree/l");
    struct source *s = walked_to_link(f);
    check_code(walk_link_follow(s, NULL, &folder, &err), ENOTDIR);
    assert_int_equal(folder, OS_NO_HANDLE);
    source_close(s);
}

static void a_link_that_was_exchanged_is_noticed(void **state)
{
    const struct folder *f = *state;
    struct error err = {0};
    os_handle folder;

    make_tree(f);
    walked_link(f, "../d", "tree/other"); /* the same target, and another link */
    struct source *s = walked_to_link(f);
    assert_int_equal(renameat((int)f->handle, "tree/other", (int)f->handle, "tree/l"), 0);
    check_kind(walk_link_follow(s, NULL, &folder, &err), ERROR_CHANGED);
    assert_int_equal(folder, OS_NO_HANDLE);
    source_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(its_content_comes_below_its_name, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(it_can_be_skipped, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(a_link_that_is_left_alone_is_a_link, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(what_leads_to_no_folder_is_an_error, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(a_link_that_was_exchanged_is_noticed, folder_setup,
                                        folder_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
