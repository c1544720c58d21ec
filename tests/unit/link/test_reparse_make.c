/*
 * New links: the bytes that mklink would write, and what no link can hold.
 */
#include <string.h>

#include "link/reparse.h"

#include "support/check.h"
#include "support/fixture.h"

#define GUID "01234567-89ab-cdef-0123-456789abcdef"

static void names_are_those_of_mklink(void **state)
{
    static const struct {
        enum reparse_made what;
        const char *target;
        enum reparse_kind kind;
        const char *substitute, *print;
        uint32_t flags;
    } cases[] = {
        {REPARSE_MAKE_SYMLINK, "a", REPARSE_SYMLINK, "a", "a", 1},
        {REPARSE_MAKE_SYMLINK, "../a/b", REPARSE_SYMLINK, "..\\a\\b", "..\\a\\b", 1},
        {REPARSE_MAKE_SYMLINK, "/a/../b", REPARSE_SYMLINK, "\\a\\..\\b", "\\a\\..\\b", 1},
        {REPARSE_MAKE_SYMLINK, "C:\\a", REPARSE_SYMLINK, "\\??\\C:\\a", "C:\\a", 0},
        {REPARSE_MAKE_SYMLINK, "c:/a/./b//../c/", REPARSE_SYMLINK, "\\??\\c:\\a\\c", "c:\\a\\c", 0},
        {REPARSE_MAKE_SYMLINK, "C:\\a\\..", REPARSE_SYMLINK, "\\??\\C:\\", "C:\\", 0},
        {REPARSE_MAKE_SYMLINK, "\\\\?\\C:\\a", REPARSE_SYMLINK, "\\??\\C:\\a", "C:\\a", 0},
        {REPARSE_MAKE_SYMLINK, "\\??\\C:\\a", REPARSE_SYMLINK, "\\??\\C:\\a", "C:\\a", 0},
        {REPARSE_MAKE_SYMLINK, "\\\\s\\h", REPARSE_SYMLINK, "\\??\\UNC\\s\\h", "\\\\s\\h", 0},
        {REPARSE_MAKE_SYMLINK, "//s/h/a/../b", REPARSE_SYMLINK, "\\??\\UNC\\s\\h\\b", "\\\\s\\h\\b",
         0},
        {REPARSE_MAKE_SYMLINK, "\\\\?\\UNC\\s\\h\\a", REPARSE_SYMLINK, "\\??\\UNC\\s\\h\\a",
         "\\\\s\\h\\a", 0},
        {REPARSE_MAKE_SYMLINK, "\\\\?\\Volume{" GUID "}\\a", REPARSE_SYMLINK,
         "\\??\\Volume{" GUID "}\\a", "\\\\?\\Volume{" GUID "}\\a", 0},
        {REPARSE_MAKE_JUNCTION, "C:\\", REPARSE_JUNCTION, "\\??\\C:\\", "C:\\", 0},
        {REPARSE_MAKE_JUNCTION, "C:/a/b", REPARSE_JUNCTION, "\\??\\C:\\a\\b", "C:\\a\\b", 0},
        {REPARSE_MAKE_JUNCTION, "\\\\?\\Volume{" GUID "}\\", REPARSE_MOUNTPOINT,
         "\\??\\Volume{" GUID "}\\", "", 0},
        {REPARSE_MAKE_JUNCTION, "\\\\?\\Volume{" GUID "}", REPARSE_MOUNTPOINT,
         "\\??\\Volume{" GUID "}\\", "", 0},
        {REPARSE_MAKE_JUNCTION, "\\\\?\\Volume{" GUID "}\\a", REPARSE_JUNCTION,
         "\\??\\Volume{" GUID "}\\a", "\\\\?\\Volume{" GUID "}\\a", 0},
        {REPARSE_MAKE_LX_SYMLINK, "/mnt/c", REPARSE_LX_SYMLINK, "/mnt/c", "", 0},
        {REPARSE_MAKE_LX_SYMLINK, "\xff", REPARSE_LX_SYMLINK, "\xff", "", 0},
    };
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reparse r = {0};

        check_done(reparse_make(cases[i].what, bytes_of(cases[i].target), &r, &err));
        assert_int_equal(r.kind, cases[i].kind);
        assert_int_equal(r.flags, cases[i].flags);
        check_text(buffer_bytes(&r.substitute), cases[i].substitute);
        check_text(buffer_bytes(&r.print), cases[i].print);
        reparse_release(&r);
    }
}

static void bytes_are_those_of_mklink(void **state)
{
    static const struct {
        enum reparse_made what;
        const char *target, *words;
    } cases[] = {
        {REPARSE_MAKE_SYMLINK, "C:\\a",
         "0c0000a0 2400 0000 0800 1000 0000 0800 00000000 \"C:\\a\" \"\\??\\C:\\a\""},
        {REPARSE_MAKE_SYMLINK, "ab",
         "0c0000a0 1400 0000 0400 0400 0000 0400 01000000 \"ab\" \"ab\""},
        {REPARSE_MAKE_JUNCTION, "C:\\a",
         "030000a0 2400 0000 0000 1000 1200 0800 \"\\??\\C:\\a\" 0000 \"C:\\a\" 0000"},
        {REPARSE_MAKE_JUNCTION, "\\\\?\\Volume{" GUID "}\\",
         "030000a0 6e00 0000 0000 6200 6400 0000 \"\\??\\Volume{" GUID "}\\\" 0000 0000"},
        {REPARSE_MAKE_LX_SYMLINK, "/a", "1d0000a0 0600 0000 02000000 '/a'"},
    };
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer wanted = {0}, bytes = {0};
        struct reparse r = {0}, again = {0};

        fixture_bytes(bytes_of(cases[i].words), &wanted);
        check_done(reparse_make(cases[i].what, bytes_of(cases[i].target), &r, &err));
        check_done(reparse_encode(&r, &bytes, &err));
        assert_true(bytes_equal(buffer_bytes(&bytes), buffer_bytes(&wanted)));
        check_done(reparse_decode(buffer_bytes(&bytes), &again, &err));
        assert_int_equal(again.kind, r.kind);
        reparse_release(&r);
        reparse_release(&again);
        buffer_release(&wanted);
        buffer_release(&bytes);
    }
}

static void what_no_link_holds_is_refused(void **state)
{
    static const struct {
        enum reparse_made what;
        const char *target, *why;
    } cases[] = {
        {REPARSE_MAKE_SYMLINK, "", "an empty target"},
        {REPARSE_MAKE_LX_SYMLINK, "", "an empty target"},
        {REPARSE_MAKE_SYMLINK, "C:a", "it depends on a current folder: write C:\\x for C:x"},
        {REPARSE_MAKE_SYMLINK, "C:", "it depends on a current folder: write C:\\x for C:x"},
        {REPARSE_MAKE_SYMLINK, "\\\\.\\pipe\\a", "a name of a device"},
        {REPARSE_MAKE_SYMLINK, "\\\\?\\C:", "a name of a device"},
        {REPARSE_MAKE_SYMLINK, "C:\\a\\..\\..\\b", "it climbs over its root"},
        {REPARSE_MAKE_SYMLINK, "\\\\s\\h\\..", "it climbs over its root"},
        {REPARSE_MAKE_SYMLINK, "\\\\s\\..\\h", "it climbs over its root"},
        {REPARSE_MAKE_SYMLINK, "\\\\s", "a server without a share"},
        {REPARSE_MAKE_SYMLINK, "\\\\", "a server without a share"},
        {REPARSE_MAKE_SYMLINK, "\\\\?\\C:\\a/b", "a slash in a name"},
        {REPARSE_MAKE_SYMLINK, "\\?\?/a", "an absolute name with the relative flag"},
        {REPARSE_MAKE_SYMLINK, "a\xff", "not valid WTF-8"},
        {REPARSE_MAKE_JUNCTION, "a", "a junction needs a path from a drive (C:\\x) or a volume"},
        {REPARSE_MAKE_JUNCTION, "\\a", "a junction needs a path from a drive (C:\\x) or a volume"},
        {REPARSE_MAKE_JUNCTION, "\\\\s\\h", "a junction cannot lead to a server"},
    };
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reparse r = {0};

        assert_int_equal(reparse_make(cases[i].what, bytes_of(cases[i].target), &r, &err), -1);
        assert_string_equal(err.detail, cases[i].why);
        check_kind(-1, ERROR_USAGE);
        assert_null(r.substitute.data);
    }
}

static void nuls_and_length_are_refused(void **state)
{
    struct buffer target = {0};
    struct reparse r = {0};
    struct error err = {0};

    (void)state;
    check_kind(reparse_make(REPARSE_MAKE_SYMLINK, bytes_make("a\0b", 3), &r, &err), ERROR_USAGE);
    check_done(buffer_append(&target, "C:\\", 3, &err));
    /* 20 bytes in front, both names, \??\ before one of them. */
    while (20 + 4 * target.size + 8 <= REPARSE_MAX_BYTES - 4)
        check_done(buffer_append_byte(&target, 'x', &err));
    check_done(reparse_make(REPARSE_MAKE_SYMLINK, buffer_bytes(&target), &r, &err));
    reparse_release(&r);
    check_done(buffer_append_byte(&target, 'x', &err));
    check_kind(reparse_make(REPARSE_MAKE_SYMLINK, buffer_bytes(&target), &r, &err), ERROR_LIMIT);
    buffer_release(&target);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_those_of_mklink),
        cmocka_unit_test(bytes_are_those_of_mklink),
        cmocka_unit_test(what_no_link_holds_is_refused),
        cmocka_unit_test(nuls_and_length_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
