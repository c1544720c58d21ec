/*
 * Opening: no link is passed below a root, nothing blocks, any depth is reached.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "os/os.h"
#include "os/thread.h"
#include "support/check.h"
#include "support/folder.h"

static bool same(os_handle a, os_handle b)
{
    struct os_stat first, second;

    return !os_stat_handle(a, &first, NULL) && !os_stat_handle(b, &second, NULL) &&
           first.device == second.device && first.file[0] == second.file[0];
}

static void a_root_may_be_a_link(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    os_handle dir, root;
    char path[300];

    check_done(os_make_dir(f->handle, "dir", 0700, &err));
    check_done(os_make_symlink(f->handle, "link", bytes_of("dir"), &err));
    folder_write(f->handle, "file", 0600, "");
    check_done(os_open_dir(f->handle, "dir", &dir, &err));
    (void)snprintf(path, sizeof path, "%s/link/", f->path);
    check_done(os_open_root(path, &root, &err));
    assert_true(same(dir, root));
    os_close(root);
    os_close(dir);
    (void)snprintf(path, sizeof path, "%s/file", f->path);
    check_code(os_open_root(path, &root, &err), ENOTDIR);
    check_code(os_open_root("", &root, &err), ENOENT);
    check_code(os_open_root("/nowhere/at/all", &root, &err), ENOENT);
}

static void a_folder_that_is_a_link_is_not_opened(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    os_handle h;

    check_done(os_make_dir(f->handle, "dir", 0700, &err));
    check_done(os_make_symlink(f->handle, "link", bytes_of("dir"), &err));
    assert_int_equal(os_open_dir(f->handle, "link", &h, &err), -1);
    assert_true(os_error_is_link(&err));
    error_release(&err);
    check_kind(os_open_dir(f->handle, "..", &h, &err), ERROR_REFUSED);
    check_kind(os_open_dir(f->handle, "dir/", &h, &err), ERROR_REFUSED);
    check_done(os_open_dir(f->handle, "dir", &h, &err));
    assert_true(fcntl((int)h, F_GETFD) & FD_CLOEXEC);
    os_close(h);
}

static void a_link_that_is_to_be_followed_is(void **state)
{
    const struct folder *f = *state;
    struct error err = {0};
    struct os_stat there, reached;
    os_handle folder;

    static const struct {
        const char *name, *target;
    } links[] = {{"to-folder", "d"},
                 {"chain", "to-folder"},
                 {"to-file", "file"},
                 {"gone", "nowhere"},
                 {"loop", "loop"}};

    check_done(os_make_dir(f->handle, "d", 0700, &err));
    folder_write(f->handle, "file", 0600, "");
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        check_done(os_make_symlink(f->handle, links[i].name, bytes_of(links[i].target), &err));
    check_done(os_stat_at(f->handle, "d", &there, &err));
    for (const char *const *name = (const char *const[]){"to-folder", "chain", "d", NULL}; *name;
         name++) {
        check_done(os_follow_dir(f->handle, *name, &folder, &err));
        check_done(os_stat_handle(folder, &reached, &err));
        assert_int_equal(reached.file[0], there.file[0]);
        os_close(folder);
    }
    for (const char *const *name =
             (const char *const[]){"to-file", "gone", "loop", "d/x", "..", "", NULL};
         *name; name++) {
        assert_int_equal(os_follow_dir(f->handle, *name, &folder, &err), -1);
        error_release(&err);
    }
}

static void only_regular_files_are_opened(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    os_handle h;

    check_done(os_make_dir(f->handle, "dir", 0700, &err));
    check_done(os_make_symlink(f->handle, "link", bytes_of("file"), &err));
    check_done(os_make_node(f->handle, "fifo", &(struct os_node){OS_FIFO, 0600, 0, 0}, &err));
    check_done(os_make_node(f->handle, "socket", &(struct os_node){OS_SOCKET, 0600, 0, 0}, &err));
    folder_write(f->handle, "file", 0600, "x");
    check_kind(os_open_file(f->handle, "dir", &h, &err), ERROR_REFUSED);
    check_kind(os_open_file(f->handle, "fifo", &h, &err), ERROR_REFUSED);
    check_code(os_open_file(f->handle, "link", &h, &err), ELOOP);
    check_code(os_open_file(f->handle, "socket", &h, &err), ENXIO);
    check_code(os_open_file(f->handle, "missing", &h, &err), ENOENT);
    check_done(os_open_file(f->handle, "file", &h, &err));
    os_close(h);
}

static void reading_does_not_change_the_access_time(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    struct timestamp old = {1000000000, 5};
    struct os_object file = folder_object(f->handle, "file");
    struct os_stat s;
    os_handle h;
    char byte;
    size_t got;

    folder_write(f->handle, "file", 0600, "x");
    check_done(os_set_times(&file, NULL, &old, &err));
    check_done(os_open_file(f->handle, "file", &h, &err));
    check_done(os_read(h, &byte, 1, &got, &err));
    os_close(h);
    check_done(os_stat_at(f->handle, "file", &s, &err));
    assert_int_equal(timestamp_compare(s.atime, old), 0);
}

/* A file of somebody else: O_NOATIME is not allowed, opening is. */
static bool read_foreign(void *argument)
{
    struct folder *f = argument;
    os_handle h;
    bool done;

    if (os_open_file(f->handle, "file", &h, NULL))
        return false;
    os_close(h);
    done = !os_open_dir(f->handle, "dir", &h, NULL);
    os_close(h);
    return done && !os_open_beneath(f->handle, bytes_of("dir/sub"), &h, NULL);
}

static void files_of_others_are_opened(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    os_handle dir;

    if (!os_is_privileged())
        check_skip("needs root to make a file of somebody else");
    folder_write(f->handle, "file", 0644, "x");
    check_done(os_make_dir(f->handle, "dir", 0755, &err));
    check_done(os_open_dir(f->handle, "dir", &dir, &err));
    check_done(os_make_dir(dir, "sub", 0755, &err));
    os_close(dir);
    assert_int_equal(fchmod((int)f->handle, 0755), 0);
    assert_true(folder_as_nobody(read_foreign, f));
}

static void beneath_takes_plain_paths_alone(void **state)
{
    static const char *const bad[] = {"/",  "/a",   "a/",     "a//b", ".",
                                      "..", "a/..", "a/../b", "./a",  "a/."};
    struct folder *f = *state;
    struct error err = {0};
    os_handle a, b, h;

    check_done(os_make_dir(f->handle, "a", 0700, &err));
    check_done(os_open_dir(f->handle, "a", &a, &err));
    check_done(os_make_dir(a, "b..", 0700, &err));
    check_done(os_make_symlink(a, "link", bytes_of("b.."), &err));
    check_done(os_make_symlink(f->handle, "out", bytes_of("/"), &err));
    check_done(os_open_dir(a, "b..", &b, &err));
    check_done(os_open_beneath(f->handle, bytes_of("a/b.."), &h, &err));
    assert_true(same(h, b));
    os_close(h);
    check_done(os_open_beneath(f->handle, bytes_of(""), &h, &err));
    assert_true(same(h, f->handle));
    os_close(h);
    check_done(os_open_parent(b, &h, &err));
    assert_true(same(h, a));
    os_close(h);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        check_kind(os_open_beneath(f->handle, bytes_of(bad[i]), &h, &err), ERROR_REFUSED);
    check_kind(os_open_beneath(f->handle, bytes_make("a\0b", 3), &h, &err), ERROR_REFUSED);
    check_code(os_open_beneath(f->handle, bytes_of("a/missing"), &h, &err), ENOENT);
    assert_int_equal(os_open_beneath(f->handle, bytes_of("a/link"), &h, &err), -1);
    assert_true(os_error_is_link(&err));
    assert_int_equal(os_open_beneath(f->handle, bytes_of("out/etc"), &h, &err), -1);
    assert_true(os_error_is_link(&err));
    error_release(&err);
    os_close(a);
    os_close(b);
}

/* 30 levels of 200 bytes are longer than any path that a system call takes. */
static void any_depth_is_reached(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    struct buffer path = {0}, full = {0};
    struct os_stat s;
    char name[201];
    os_handle at, h;

    memset(name, 'n', 200);
    name[200] = '\0';
    check_done(os_open_beneath(f->handle, bytes_of(""), &at, &err));
    for (int level = 0; level < 30; level++) {
        check_done(os_make_dir(at, name, 0700, &err));
        check_done(os_open_dir(at, name, &h, &err));
        os_close(at);
        at = h;
        if (level)
            check_done(buffer_append_byte(&path, '/', &err));
        check_done(buffer_append(&path, name, 200, &err));
    }
    folder_write(at, "file", 0600, "x");
    check_done(os_open_beneath(f->handle, buffer_bytes(&path), &h, &err));
    assert_true(same(h, at));
    os_close(h);
    check_done(buffer_append(&full, f->path, strlen(f->path), &err));
    check_done(buffer_append_byte(&full, '/', &err));
    check_done(buffer_append(&full, path.data, path.size, &err));
    check_done(buffer_terminate(&full, &err));
    check_done(os_open_root((char *)full.data, &h, &err));
    assert_true(same(h, at));
    os_close(h);
    check_done(buffer_append(&full, "/file", 6, &err));
    check_done(os_stat_path((char *)full.data, true, &s, &err));
    assert_int_equal(s.kind, OS_FILE);
    check_done(os_open_path((char *)full.data, &h, &err));
    os_close(h);
    os_close(at);
    buffer_release(&path);
    buffer_release(&full);
}

static void a_long_name_is_an_error_and_255_bytes_are_not(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    char name[6000];
    os_handle h;

    memset(name, 'x', sizeof name);
    name[255] = '\0';
    folder_write(f->handle, name, 0600, "");
    check_done(os_open_file(f->handle, name, &h, &err));
    os_close(h);
    name[255] = 'x';
    name[256] = '\0';
    check_code(os_open_file(f->handle, name, &h, &err), ENAMETOOLONG);
    name[256] = 'x';
    check_code(os_open_beneath(f->handle, bytes_make(name, sizeof name), &h, &err), ENAMETOOLONG);
    name[sizeof name - 1] = '\0';
    check_code(os_open_root(name, &h, &err), ENAMETOOLONG);
}

struct swapper {
    const struct folder *folder;
    _Atomic bool done;
};

/*
 * Swaps the folder `a` for a link to the folder above all and back. The pauses let the other
 * thread on where one thread runs at a time: valgrind hands its lock to whoever asks first.
 */
static void swap_for_ever(void *context)
{
    struct swapper *s = context;
    int root = (int)s->folder->handle;

    for (unsigned i = 1; !s->done; i++) {
        (void)renameat2(root, "a", root, "trap", RENAME_EXCHANGE);
        if (i % 8 == 0)
            (void)nanosleep(&(struct timespec){0, 1000}, NULL);
    }
}

static void a_swap_never_leads_out(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    struct swapper swapper = {f, false};
    struct os_thread *thread;
    struct os_stat inside, s;
    os_handle h;
    int opened = 0;

    check_done(os_make_dir(f->handle, "a", 0700, &err));
    check_done(os_open_dir(f->handle, "a", &h, &err));
    check_done(os_make_dir(h, "tmp", 0700, &err));
    check_done(os_stat_at(h, "tmp", &inside, &err));
    os_close(h);
    check_done(os_make_symlink(f->handle, "trap", bytes_of("/"), &err));
    check_done(os_thread_start(swap_for_ever, &swapper, &thread, &err));
    for (int round = 0; round < 20000; round++) {
        if (os_open_beneath(f->handle, bytes_of("a/tmp"), &h, &err)) {
            assert_true(os_error_is_link(&err));
            error_release(&err);
            continue;
        }
        check_done(os_stat_handle(h, &s, &err));
        assert_true(s.file[0] == inside.file[0] && s.device == inside.device);
        os_close(h);
        opened++;
    }
    swapper.done = true;
    os_thread_join(thread);
    assert_true(opened > 0);
}

static void closing_nothing_is_nothing(void **state)
{
    struct error err = {0};

    (void)state;
    os_close(OS_NO_HANDLE);
    check_code(os_close_checked(999999, &err), EBADF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_root_may_be_a_link, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(a_folder_that_is_a_link_is_not_opened, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(a_link_that_is_to_be_followed_is, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(only_regular_files_are_opened, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(reading_does_not_change_the_access_time, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(files_of_others_are_opened, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(beneath_takes_plain_paths_alone, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(any_depth_is_reached, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(a_long_name_is_an_error_and_255_bytes_are_not, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(a_swap_never_leads_out, folder_setup, folder_teardown),
        cmocka_unit_test(closing_nothing_is_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
