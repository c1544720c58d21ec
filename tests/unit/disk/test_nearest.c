/*
 * The folder that is there, on the way to a place.
 */
#include "disk/nearest.h"

#include <stdio.h>
#include <string.h>

#include "support/check.h"
#include "support/walked.h"

/* Opened is the folder of the test, or `inner` in it, and so much of the path is that. */
static void check_nearest(const struct folder *f, const char *below, const char *inner)
{
    char path[400], wanted[400];
    struct buffer real = {0};
    struct error err = {0};
    os_handle folder;
    size_t bytes;

    (void)snprintf(path, sizeof path, "%s%s", f->path, below);
    (void)snprintf(wanted, sizeof wanted, "%s%s", f->path, inner);
    check_done(nearest_open(path, &bytes, &folder, &err));
    check_done(os_handle_path(folder, &real, &err));
    check_text(buffer_bytes(&real), wanted);
    while (bytes && path[bytes - 1] == '/')
        bytes--;
    assert_int_equal(bytes, strlen(wanted));
    buffer_release(&real);
    os_close(folder);
}

static void goes_up_to_what_is_a_folder(void **state)
{
    const struct folder *f = *state;

    walked_dir(f, "d");
    walked_file(f, "f");
    check_nearest(f, "", "");
    check_nearest(f, "/", "");
    check_nearest(f, "/d", "/d");
    check_nearest(f, "/d//", "/d");
    check_nearest(f, "/d/x/y", "/d");
    check_nearest(f, "/x", "");
    check_nearest(f, "/x//y/", "");
    check_nearest(f, "/f", "");
    check_nearest(f, "/f/x", "");
}

static void begins_where_the_path_begins(void **state)
{
    struct error err = {0};
    struct buffer real = {0};
    os_handle folder;
    size_t bytes;

    (void)state;
    check_done(nearest_open("/holdfast-is-not-here/x", &bytes, &folder, &err));
    check_done(os_handle_path(folder, &real, &err));
    check_text(buffer_bytes(&real), "/");
    assert_int_equal(bytes, 1);
    os_close(folder);
    check_done(nearest_open("holdfast-is-not-here/x", &bytes, &folder, &err));
    assert_int_equal(bytes, 0);
    os_close(folder);
    buffer_release(&real);
}

#define folder_test(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        folder_test(goes_up_to_what_is_a_folder),
        cmocka_unit_test(begins_where_the_path_begins),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
