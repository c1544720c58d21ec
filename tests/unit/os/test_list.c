/*
 * Listing: all names, sorted by bytes, with the kinds that the system tells.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "os/os.h"
#include "support/check.h"
#include "support/folder.h"

static void names_are_sorted_by_bytes(void **state)
{
    static const char *const names[] = {"\n", " x", "A",        "a",       "a.b",
                                        "aa", "b",  "\xc3\xa4", "\xff\xfe"};
    enum { COUNT = sizeof names / sizeof *names };
    struct folder *f = *state;
    struct error err = {0};
    struct os_listing l = {0};

    for (size_t i = COUNT; i-- > 0;)
        folder_write(f->handle, names[i], 0600, "");
    check_done(os_list(f->handle, &l, &err));
    assert_int_equal(l.count, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        assert_string_equal(os_listing_name(&l, i), names[i]);
        assert_int_equal(l.items[i].bytes, strlen(names[i]));
    }
    os_listing_release(&l);
    os_listing_release(&l);
    os_listing_release(NULL);
}

static void kinds_are_told_or_unknown(void **state)
{
    static const enum os_kind kinds[] = {OS_DIRECTORY, OS_FILE, OS_SYMLINK, OS_FIFO, OS_SOCKET};
    struct folder *f = *state;
    struct error err = {0};
    struct os_listing l = {0};

    check_done(os_make_dir(f->handle, "a", 0700, &err));
    folder_write(f->handle, "b", 0600, "");
    check_done(os_make_symlink(f->handle, "c", bytes_of("a"), &err));
    check_done(os_make_node(f->handle, "d", &(struct os_node){OS_FIFO, 0600, 0, 0}, &err));
    check_done(os_make_node(f->handle, "e", &(struct os_node){OS_SOCKET, 0600, 0, 0}, &err));
    check_done(os_list(f->handle, &l, &err));
    assert_int_equal(l.count, 5);
    for (size_t i = 0; i < l.count; i++)
        assert_true(l.items[i].kind_hint == kinds[i] || l.items[i].kind_hint == OS_KIND_UNKNOWN);
    os_listing_release(&l);
}

static void a_folder_can_be_listed_again(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    struct os_listing l = {0};

    check_done(os_list(f->handle, &l, &err));
    assert_int_equal(l.count, 0);
    folder_write(f->handle, "x", 0600, "");
    check_done(os_list(f->handle, &l, &err));
    assert_int_equal(l.count, 1);
    os_listing_release(&l);
}

static void many_long_names_are_listed(void **state)
{
    enum { COUNT = 3000 };
    struct folder *f = *state;
    struct error err = {0};
    struct os_listing l = {0};
    char name[256];

    for (int i = 0; i < COUNT; i++) {
        (void)snprintf(name, sizeof name, "%05d%0250d", i * 7919 % COUNT, i);
        folder_write(f->handle, name, 0600, "");
    }
    check_done(os_list(f->handle, &l, &err));
    assert_int_equal(l.count, COUNT);
    for (size_t i = 1; i < l.count; i++)
        assert_true(strcmp(os_listing_name(&l, i - 1), os_listing_name(&l, i)) < 0);
    os_listing_release(&l);
}

static void a_file_is_no_folder(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    struct os_listing l = {0};
    os_handle h;

    folder_write(f->handle, "file", 0600, "");
    check_done(os_open_file(f->handle, "file", &h, &err));
    check_code(os_list(h, &l, &err), ENOTDIR);
    os_close(h);
    os_listing_release(&l);
}

/* Which names were seen, and whether each with its file's number. */
struct glanced {
    struct os_glance glance; /* first */
    os_handle folder;
    size_t seen, exact;
};

static void note(struct os_glance *g, const char *name, uint64_t file)
{
    struct glanced *glanced = (struct glanced *)g;
    struct error err = {0};
    struct os_stat status;

    if (name[0] == '.')
        return;
    check_done(os_stat_at(glanced->folder, name, &status, &err));
    glanced->seen++;
    glanced->exact += file == status.file[0];
}

static void a_glance_shows_numbers(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    struct glanced glanced = {.glance.see = note, .folder = f->handle};
    struct os_volume volume;

    folder_write(f->handle, "a", 0600, "");
    folder_write(f->handle, "b", 0600, "");
    check_done(os_link(f->handle, "a", f->handle, "c", &err));
    check_done(os_volume_facts(f->handle, &volume, &err));
    for (size_t i = 1; i <= 2; i++) {
        check_done(os_glance_at(f->handle, &glanced.glance, &err));
        assert_int_equal(glanced.seen, 3 * i);
    }
    if (volume.listed_numbers)
        assert_int_equal(glanced.exact, glanced.seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_are_sorted_by_bytes, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(kinds_are_told_or_unknown, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(a_folder_can_be_listed_again, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(many_long_names_are_listed, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(a_file_is_no_folder, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(a_glance_shows_numbers, folder_setup, folder_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
