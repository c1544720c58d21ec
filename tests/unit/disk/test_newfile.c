/*
 * New files: whole under their name or not there, whatever stands there before.
 */
#define _POSIX_C_SOURCE 200809L
#include "disk/newfile.h"

#include <stdio.h>
#include <string.h>

#include "support/check.h"
#include "support/folder.h"

static struct error err;

static const char *in(const struct folder *f, const char *name)
{
    static char path[400];

    (void)snprintf(path, sizeof path, "%s/%s", f->path, name);
    return path;
}

static void check_file(const struct folder *f, const char *name, const char *content)
{
    os_handle file;
    char text[64] = "";
    size_t got;

    check_done(os_open_file(f->handle, name, &file, &err));
    check_done(os_read(file, text, sizeof text - 1, &got, &err));
    assert_string_equal(text, content);
    os_close(file);
}

/* The folder's names, in order. */
static void check_names(const struct folder *f, const char *wanted)
{
    char command[300], text[200] = "";
    FILE *names;

    (void)snprintf(command, sizeof command, "ls -A '%s' | tr '\n' ' '", f->path);
    names = popen(command, "r");
    assert_non_null(names);
    (void)!fread(text, 1, sizeof text - 1, names);
    (void)pclose(names);
    assert_string_equal(text, wanted);
}

static uint32_t mode_of(const struct folder *f, const char *name)
{
    struct os_stat status;

    check_done(os_stat_at(f->handle, name, &status, &err));
    return status.mode & 0777;
}

static void write_text(const struct newfile *f, const char *text)
{
    check_done(os_write(f->file, text, strlen(text), &err));
}

static void a_file_appears_when_it_is_whole(void **state)
{
    const struct folder *folder = *state;
    struct newfile f;

    check_done(newfile_begin(&f, in(folder, "a"), &err));
    write_text(&f, "content");
    check_names(folder, "");
    check_done(newfile_commit(&f, NEWFILE_SYNC, &err));
    check_file(folder, "a", "content");
    check_names(folder, "a ");
    assert_int_equal(mode_of(folder, "a"), 0644);
}

static void an_old_file_stands_until_then_and_keeps_its_mode(void **state)
{
    const struct folder *folder = *state;
    struct newfile f;

    folder_write(folder->handle, "a", 0600, "old");
    check_done(newfile_begin(&f, in(folder, "a"), &err));
    write_text(&f, "new");
    check_file(folder, "a", "old");
    newfile_abandon(&f);
    check_file(folder, "a", "old");
    check_names(folder, "a ");
    check_done(newfile_begin(&f, in(folder, "a"), &err));
    write_text(&f, "new");
    check_done(newfile_commit(&f, NEWFILE_NO_SYNC, &err));
    check_file(folder, "a", "new");
    check_names(folder, "a ");
    assert_int_equal(mode_of(folder, "a"), 0600);
}

/* What another process makes meanwhile is replaced, too. */
static void a_name_that_is_taken_meanwhile_is_replaced(void **state)
{
    const struct folder *folder = *state;
    struct newfile f;

    check_done(newfile_begin(&f, in(folder, "a"), &err));
    write_text(&f, "new");
    folder_write(folder->handle, "a", 0640, "meanwhile");
    check_done(newfile_commit(&f, NEWFILE_SYNC, &err));
    check_file(folder, "a", "new");
    check_names(folder, "a ");
}

/* A journal that another process wrote meanwhile may be needed. */
static void a_new_name_that_is_taken_meanwhile_stays(void **state)
{
    const struct folder *folder = *state;
    struct newfile f;

    check_done(newfile_begin(&f, in(folder, "a"), &err));
    f.is_new = true;
    write_text(&f, "new");
    folder_write(folder->handle, "a", 0640, "meanwhile");
    assert_int_equal(newfile_commit(&f, NEWFILE_SYNC, &err), -1);
    assert_true(os_error_is_exists(&err));
    error_release(&err);
    check_file(folder, "a", "meanwhile");
    check_names(folder, "a ");
    check_done(newfile_begin(&f, in(folder, "b"), &err));
    f.is_new = true;
    write_text(&f, "new");
    check_done(newfile_commit(&f, NEWFILE_SYNC, &err));
    check_file(folder, "b", "new");
    check_names(folder, "a b ");
}

/* "latest" stays a link: the file that it leads to is replaced. */
static void a_link_is_followed_once(void **state)
{
    const struct folder *folder = *state;
    struct os_stat status;
    struct newfile f;

    check_done(os_make_dir(folder->handle, "d", 0700, &err));
    check_done(os_make_symlink(folder->handle, "b", bytes_of("d/target"), &err));
    check_done(os_make_symlink(folder->handle, "a", bytes_of("b"), &err));
    check_done(newfile_begin(&f, in(folder, "d/target"), &err));
    write_text(&f, "old");
    check_done(newfile_commit(&f, NEWFILE_SYNC, &err));
    check_done(newfile_begin(&f, in(folder, "a"), &err));
    write_text(&f, "new");
    check_done(newfile_commit(&f, NEWFILE_SYNC, &err));
    check_done(os_stat_at(folder->handle, "a", &status, &err));
    assert_int_equal(status.kind, OS_SYMLINK);
    check_done(os_stat_path(in(folder, "d/target"), false, &status, &err));
    assert_int_equal(status.size, 3);
    check_names(folder, "a b d ");
}

static void a_link_that_leads_nowhere_is_refused(void **state)
{
    const struct folder *folder = *state;
    struct newfile f;

    check_done(os_make_symlink(folder->handle, "a", bytes_of("nowhere"), &err));
    check_done(os_make_symlink(folder->handle, "b", bytes_of("b"), &err));
    check_kind(newfile_begin(&f, in(folder, "a"), &err), ERROR_USAGE);
    check_kind(newfile_begin(&f, in(folder, "b"), &err), ERROR_USAGE);
    check_names(folder, "a b ");
}

static void a_folder_is_not_replaced(void **state)
{
    const struct folder *folder = *state;
    struct newfile f;

    check_done(os_make_dir(folder->handle, "d", 0700, &err));
    check_kind(newfile_begin(&f, in(folder, "d/"), &err), ERROR_USAGE);
    check_kind(newfile_begin(&f, in(folder, "d/.."), &err), ERROR_USAGE);
    check_kind(newfile_begin(&f, ".", &err), ERROR_USAGE);
    check_done(newfile_begin(&f, in(folder, "d"), &err));
    assert_int_equal(newfile_commit(&f, NEWFILE_SYNC, &err), -1);
    error_release(&err);
    check_names(folder, "d ");
}

static void a_missing_folder_is_told_with_the_path(void **state)
{
    const struct folder *folder = *state;
    struct newfile f;

    assert_int_equal(newfile_begin(&f, in(folder, "none/a"), &err), -1);
    assert_true(os_error_is_missing(&err));
    assert_non_null(strstr(err.path, "none"));
    error_release(&err);
    newfile_abandon(&f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_appears_when_it_is_whole),
        TEST(an_old_file_stands_until_then_and_keeps_its_mode),
        TEST(a_name_that_is_taken_meanwhile_is_replaced),
        TEST(a_new_name_that_is_taken_meanwhile_stays),
        TEST(a_link_is_followed_once),
        TEST(a_link_that_leads_nowhere_is_refused),
        TEST(a_folder_is_not_replaced),
        TEST(a_missing_folder_is_told_with_the_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
