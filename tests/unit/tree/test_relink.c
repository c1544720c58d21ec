/* relink.h: what is written is read, and nothing else is taken for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tree/ntfs_note.h"
#include "tree/relink.h"

static const uint8_t raw[] = {0x1b, 0, 0, 0x80, 0, 0, 0, 0};

static struct entry point(const char *path, bool folder)
{
    return (struct entry){.path = bytes_of(path),
                          .kind = ENTRY_REPARSE,
                          .reparse = bytes_make(raw, sizeof raw),
                          .folder_flavour = folder};
}

static void add(struct relink *r, const char *path, bool folder)
{
    struct entry e = point(path, folder);

    assert_int_equal(relink_add(r, &e, NULL), 0);
}

static void check(const struct relink *r, const char *path, bool folder)
{
    struct ntfs_note note;
    struct bytes bytes;

    assert_true(relink_find(r, bytes_of(path), &bytes));
    assert_int_equal(ntfs_note_decode(bytes, &note, NULL, NULL), 0);
    assert_true(bytes_equal(note.reparse, bytes_make(raw, sizeof raw)));
    assert_int_equal(note.folder_flavour, folder);
}

static void test_there_and_back(void **state)
{
    struct relink a, b;
    struct bytes ignored;

    (void)state;
    relink_init(&a);
    relink_init(&b);
    add(&a, "t/a", false);
    add(&a, "t/b \n\xff", true);
    assert_int_equal(relink_read(&b, buffer_bytes(&a.text), NULL), 0);
    check(&b, "t/a", false);
    check(&b, "t/b \n\xff", true);
    assert_false(relink_find(&b, bytes_of("t"), &ignored));
    /* What is known already is not added, what changed is, and counts. */
    add(&b, "t/a", false);
    assert_false(b.is_changed);
    add(&b, "t/a", true);
    assert_true(b.is_changed);
    relink_release(&a);
    relink_init(&a);
    assert_int_equal(relink_read(&a, buffer_bytes(&b.text), NULL), 0);
    check(&a, "t/a", true);
    relink_release(&a);
    relink_release(&b);
}

static void test_other_files(void **state)
{
    static const char *const wrong[] = {
        "",
        "holdfast relink 1",
        "holdfast relink 2\n",
        "holdfast relink 1\nYQ==\n",
        "holdfast relink 1\nYQ== AQA=",
        "holdfast relink 1\nYQ== AQA=\n\n",
        "holdfast relink 1\nY AQA=\n",
        "holdfast relink 1\nYQ== !\n",
        "holdfast relink 1\nYQ== \n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct relink r;
        struct error err = {0};

        relink_init(&r);
        assert_int_equal(relink_read(&r, bytes_of(wrong[i]), &err), -1);
        assert_int_equal(err.kind, ERROR_FORMAT);
        error_release(&err);
        relink_release(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_other_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
