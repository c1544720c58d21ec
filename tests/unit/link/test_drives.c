/*
 * Which folder is which drive of Windows.
 */
#include "link/drives.h"

#include "support/check.h"

static void add(struct drives *d, const char *text)
{
    struct error err = {0};

    check_done(drives_add_text(d, bytes_of(text), &err));
}

/* What a function makes of a text; NULL: nothing. */
static void check_made(int (*append)(const struct drives *, struct bytes, struct buffer *,
                                     struct error *),
                       const struct drives *d, const char *text, const char *wanted)
{
    struct buffer out = {0};
    struct error err = {0};
    int made = check_done(append(d, bytes_of(text), &out, &err));

    assert_int_equal(made, wanted != NULL);
    check_text(buffer_bytes(&out), wanted ? wanted : "");
    buffer_release(&out);
}

static void targets_are_found_in_their_drive(void **state)
{
    struct drives d = {0};

    (void)state;
    add(&d, "C:=/mnt/win");
    add(&d, "d:=/");
    check_made(drives_append_here, &d, "C:\\", "/mnt/win");
    check_made(drives_append_here, &d, "c:\\Users\\x", "/mnt/win/Users/x");
    check_made(drives_append_here, &d, "\\\\?\\C:\\x", "/mnt/win/x");
    check_made(drives_append_here, &d, "D:\\x", "/x");
    check_made(drives_append_here, &d, "E:\\x", NULL);
    check_made(drives_append_here, &d, "\\x", NULL);
    check_made(drives_append_here, &d, "x", NULL);
    check_made(drives_append_here, &d, "\\\\s\\h", NULL);
    drives_release(&d);
}

static void places_are_named_by_their_drive(void **state)
{
    struct drives d = {0};

    (void)state;
    add(&d, "C:=/mnt/win/");
    check_made(drives_append_windows, &d, "/mnt/win", "C:\\");
    check_made(drives_append_windows, &d, "/mnt/win/a/b", "C:\\a\\b");
    check_made(drives_append_windows, &d, "/mnt/windows", NULL);
    check_made(drives_append_windows, &d, "/mnt/win/a:b", NULL);
    drives_release(&d);
}

static void without_drives_nothing_is_known(void **state)
{
    const struct drives none = {0};

    (void)state;
    check_made(drives_append_here, &none, "C:\\", NULL);
    check_made(drives_append_windows, &none, "/", NULL);
}

static void odd_words_are_refused(void **state)
{
    static const char *const odd[] = {
        "",        "C",        "C:",     "C:=",       "C:=x",      "C=/mnt",
        "1:=/mnt", "CC:=/mnt", "C:/mnt", "C:\\=/mnt", "C:=/mnt/.."};
    struct drives d = {0};
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
        check_kind(drives_add_text(&d, bytes_of(odd[i]), &err), ERROR_USAGE);
    add(&d, "C:=/a");
    check_kind(drives_add_text(&d, bytes_of("c:=/b"), &err), ERROR_USAGE);
    check_made(drives_append_here, &d, "C:\\", "/a");
    drives_release(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets_are_found_in_their_drive),
        cmocka_unit_test(places_are_named_by_their_drive),
        cmocka_unit_test(without_drives_nothing_is_known),
        cmocka_unit_test(odd_words_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
