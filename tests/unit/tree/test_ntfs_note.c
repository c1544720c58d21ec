/*
 * The note of what NTFS alone has: what is in comes out, and what is none is refused.
 */
#include "tree/ntfs_note.h"

#include <string.h>

#include "support/check.h"

static void a_note_comes_back(void **state)
{
    static const uint8_t raw[] = {0x1a, 0, 0, 0x90, 0, 0, 0, 0};
    struct entry e = {.reparse = bytes_make(raw, sizeof raw), .folder_flavour = true};
    struct buffer note = {0};
    struct pairs xattrs = {0};
    struct ntfs_note got;
    struct error err = {0};

    (void)state;
    check_done(pairs_append(&e.meta.xattrs, bytes_of("system.ntfs_acl"), bytes_of("a"), &err));
    check_done(pairs_append(&e.meta.xattrs, bytes_of("system.ntfs_ea"), bytes_make("", 0), &err));
    check_done(pairs_append(&e.meta.xattrs, bytes_of("user.x"), bytes_of("not this"), &err));
    check_done(ntfs_note_encode(&note, &e, &err));
    check_done(ntfs_note_decode(buffer_bytes(&note), &got, &xattrs, &err));
    assert_true(bytes_equal(got.reparse, e.reparse));
    assert_true(got.folder_flavour);
    assert_int_equal(xattrs.count, 2);
    check_text(pairs_name(&xattrs, 0), "system.ntfs_acl");
    check_text(pairs_value(&xattrs, 0), "a");
    check_text(pairs_name(&xattrs, 1), "system.ntfs_ea");
    for (size_t cut = 0; cut < note.size; cut++) {
        struct error cut_err = {0};
        pairs_clear(&xattrs);
        if (ntfs_note_decode(bytes_make(note.data, cut), &got, &xattrs, &cut_err))
            assert_int_equal(cut_err.kind, ERROR_FORMAT);
        error_release(&cut_err);
    }
    pairs_release(&xattrs);
    pairs_release(&e.meta.xattrs);
    buffer_release(&note);
}

static void what_is_no_note_is_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t count;
    } cases[] = {
        {"\2\0", 2},           /* another version */
        {"\1\4", 2},           /* a flag that is not known */
        {"\1\1\0", 3},         /* an empty buffer */
        {"\1\0\1b\0\1a\0", 8}, /* out of order */
        {"\1\0\0\0", 4},       /* no name */
    };
    struct pairs xattrs = {0};
    struct ntfs_note got;
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_kind(
            ntfs_note_decode(bytes_make(cases[i].bytes, cases[i].count), &got, &xattrs, &err),
            ERROR_FORMAT);
    pairs_release(&xattrs);
}

static void a_buffer_says_what_an_entry_is(void **state)
{
    static const uint8_t cloud[] = {0x1a, 0, 0, 0x90, 0, 0, 0, 0};
    static const uint8_t lx[] = {0x1d, 0, 0, 0xa0, 7, 0, 0, 0, 2, 0, 0, 0, 'a', '/', 'b'};
    struct buffer target = {0};
    struct error err = {0};
    struct entry e = {.kind = ENTRY_SYMLINK};

    (void)state;
    check_done(entry_set_reparse(&e, bytes_make(cloud, sizeof cloud), true, &target, &err));
    assert_int_equal(e.kind, ENTRY_REPARSE);
    assert_false(entry_is_link(&e));
    assert_int_equal(entry_reparse_tag(&e), 0x9000001a);
    check_done(entry_set_reparse(&e, bytes_make(lx, sizeof lx), false, &target, &err));
    assert_int_equal(e.kind, ENTRY_SYMLINK);
    check_text(e.target, "a/b");
    /* Malformed: kept as it is. */
    check_done(entry_set_reparse(&e, bytes_make(lx, 5), false, &target, &err));
    assert_int_equal(e.kind, ENTRY_REPARSE);
    assert_int_equal(e.target.size, 0);
    buffer_release(&target);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_note_comes_back),
        cmocka_unit_test(what_is_no_note_is_refused),
        cmocka_unit_test(a_buffer_says_what_an_entry_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
