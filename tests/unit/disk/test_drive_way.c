/*
 * Where targets of Windows lead, on an NTFS volume: by names of any case, through junctions.
 */
#include "disk/drive_way.h"

#include <stdio.h>
#include <string.h>

#include "support/check.h"
#include "support/folder.h"
#include "support/ntfs.h"

/* The answer as text: the path from the volume on, "nowhere", "circle", "?". */
static const char *way_of(const struct drive_start *start, const char *place, const char *target)
{
    static char text[300];
    enum os_leads leads = OS_LEADS_NOWHERE;
    struct buffer real = {0};
    struct error err = {0};
    int known = check_done(drive_way_follow(start, bytes_of(target), &leads, &real, &err));

    if (!known)
        strcpy(text, "?");
    else if (leads != OS_LEADS_SOMEWHERE)
        strcpy(text, leads == OS_LEADS_NOWHERE ? "nowhere" : "circle");
    else
        (void)snprintf(text, sizeof text, "%.*s", (int)(real.size - strlen(place)),
                       (const char *)real.data + strlen(place));
    buffer_release(&real);
    return text;
}

static void add_drive(struct drives *d, char letter, const char *place)
{
    struct error err = {0};
    char text[300];

    (void)snprintf(text, sizeof text, "%c:=%s", letter, place);
    check_done(drives_add_text(d, bytes_of(text), &err));
}

static void junction(const struct ntfs *n, const char *name, const char *target)
{
    struct buffer raw = {0};
    struct error err = {0};

    ntfs_junction(&raw, target);
    check_done(os_make_reparse(n->handle, name, OS_FLAVOUR_FOLDER, buffer_bytes(&raw), &err));
    buffer_release(&raw);
}

static void ways_on_a_volume(void **state)
{
    static const struct {
        const char *target, *way;
    } cases[] = {
        {"C:\\", ""},
        {"C:\\Folder", "/Folder"},
        {"c:\\FOLDER\\file", "/Folder/File"},
        {"C:\\Folder\\..\\folder\\.\\File", "/Folder/File"},
        {"C:\\Folder\\..\\..\\..\\Folder", "/Folder"},
        {"C:\\Folder\\File\\x", "nowhere"},
        {"C:\\nothing", "nowhere"},
        {"C:\\nothing\\x", "nowhere"},
        {"C:\\chain\\File", "/Folder/File"},
        {"C:\\chain", "/Folder"},
        {"C:\\self", "circle"},
        {"C:\\away", "?"},
        {"Q:\\x", "?"},
        {"\\\\server\\share", "?"},
        {"\\\\?\\C:\\Folder", "/Folder"},
        {"\\Folder", "/Folder"},
        {"Folder", "?"},
    };
    struct ntfs *n = *state;
    struct drives drives = {0};
    struct drive_start start = {.drives = &drives};
    struct error err = {0};
    struct os_stat status;
    os_handle folder;

    ntfs_need(n);
    check_done(os_make_dir(n->handle, "Folder", 0755, &err));
    check_done(os_open_dir(n->handle, "Folder", &folder, &err));
    folder_write(folder, "File", 0644, "x");
    os_close(folder);
    junction(n, "chain", "C:\\next");
    junction(n, "next", "c:\\folder");
    junction(n, "self", "C:\\self");
    junction(n, "away", "Q:\\data");
    check_done(os_stat_handle(n->handle, &status, &err));
    start.device = status.device;
    add_drive(&drives, 'C', n->path);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(way_of(&start, n->path, cases[i].target), cases[i].way);
    drives_release(&drives);
}

static void on_other_file_systems_names_are_enough(void **state)
{
    struct folder *f = *state;
    struct drives drives = {0};
    struct drive_start start = {.drives = &drives};
    struct error err = {0};

    check_done(os_make_dir(f->handle, "Folder", 0755, &err));
    check_done(os_make_symlink(f->handle, "link", bytes_of("Folder"), &err));
    add_drive(&drives, 'C', f->path);
    assert_string_equal(way_of(&start, f->path, "C:\\folder"), "/Folder");
    assert_string_equal(way_of(&start, f->path, "C:\\x"), "nowhere");
    assert_string_equal(way_of(&start, f->path, "C:\\link"), "?");
    assert_string_equal(way_of(&start, f->path, "\\Folder"), "?");
    add_drive(&drives, 'D', "/nothing/here");
    assert_string_equal(way_of(&start, f->path, "D:\\x"), "?");
    drives_release(&drives);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(ways_on_a_volume, ntfs_setup, ntfs_teardown),
        cmocka_unit_test_setup_teardown(on_other_file_systems_names_are_enough, folder_setup,
                                        folder_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
