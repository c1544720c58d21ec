/*
 * What zip, 7z and cpio cannot hold of an entry.
 */
#include "archive/export_format.h"

#include "support/check.h"
#include "support/told.h"

static struct error err;

static struct entry plain_entry(enum entry_kind kind)
{
    return (struct entry){.path = bytes_of("t/e"),
                          .name_offset = 2,
                          .depth = 1,
                          .kind = kind,
                          .meta = {.known = METADATA_MODE | METADATA_OWNER | METADATA_GROUP |
                                            METADATA_MTIME | METADATA_FLAGS | METADATA_XATTRS |
                                            METADATA_ACL,
                                   .mode = 0644,
                                   .mtime = {1500000000, 0}}};
}

/* ---- Kinds, sizes, paths ---- */

static void check_place(enum export_format format, struct entry e, const char *reason)
{
    const char *got = export_no_place(export_facts(format), &e);

    if (reason == NULL)
        assert_null(got);
    else
        assert_string_equal(got, reason);
}

static void kinds_without_a_place_are_named(void **state)
{
    static const enum export_format formats[] = {EXPORT_ZIP, EXPORT_7Z, EXPORT_CPIO};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        check_place(formats[i], plain_entry(ENTRY_JUNCTION),
                    "left out: the format has no junctions");
        check_place(formats[i], plain_entry(ENTRY_MOUNT_POINT),
                    "left out: the format has no mount points");
        check_place(formats[i], plain_entry(ENTRY_REPARSE),
                    "left out: the format has no reparse points");
        check_place(formats[i], plain_entry(ENTRY_DIRECTORY), NULL);
        check_place(formats[i], plain_entry(ENTRY_FILE), NULL);
        check_place(formats[i], plain_entry(ENTRY_SYMLINK), NULL);
    }
    for (size_t i = 0; i < 2; i++) {
        check_place(formats[i], plain_entry(ENTRY_FIFO), "left out: the format has no FIFOs");
        check_place(formats[i], plain_entry(ENTRY_SOCKET), "left out: the format has no sockets");
        check_place(formats[i], plain_entry(ENTRY_CHAR_DEVICE),
                    "left out: the format has no devices");
        check_place(formats[i], plain_entry(ENTRY_BLOCK_DEVICE),
                    "left out: the format has no devices");
    }
    check_place(EXPORT_CPIO, plain_entry(ENTRY_FIFO), NULL);
    check_place(EXPORT_CPIO, plain_entry(ENTRY_SOCKET), NULL);
    check_place(EXPORT_CPIO, plain_entry(ENTRY_BLOCK_DEVICE), NULL);
}

static void sizes_without_a_place_are_named(void **state)
{
    struct entry e = plain_entry(ENTRY_FILE);

    (void)state;
    e.size = UINT32_MAX;
    check_place(EXPORT_CPIO, e, NULL);
    e.size++;
    check_place(EXPORT_CPIO, e, "left out: it is larger than the format can hold");
    check_place(EXPORT_ZIP, e, NULL);
    check_place(EXPORT_7Z, e, NULL);
}

static void paths_without_a_place_are_named(void **state)
{
    static uint8_t path[(1 << 20) + 1];
    static const char too_long[] = "left out: its path is longer than the format can hold";
    struct entry e = plain_entry(ENTRY_FILE);

    (void)state;
    e.path = bytes_make(path, UINT16_MAX);
    check_place(EXPORT_ZIP, e, NULL);
    e.kind = ENTRY_DIRECTORY; /* with its slash */
    check_place(EXPORT_ZIP, e, too_long);
    e.path.size--;
    check_place(EXPORT_ZIP, e, NULL);
    e.kind = ENTRY_FILE;
    e.path.size = UINT16_MAX + 1;
    check_place(EXPORT_ZIP, e, too_long);
    check_place(EXPORT_7Z, e, NULL);
    e.path.size = sizeof path;
    check_place(EXPORT_7Z, e, too_long);
    check_place(EXPORT_CPIO, e, too_long);
}

/* ---- Times ---- */

static const char outside[] =
    "loss t/e: its time is outside of what the format can hold: the nearest one is stored";

static void check_time(enum export_format format, struct timestamp time, struct timestamp stored,
                       const char *told_text)
{
    const struct export_facts *f = export_facts(format);
    struct entry e = plain_entry(ENTRY_FILE);
    struct told told;

    told_init(&told);
    e.meta.known &= ~(uint32_t)(METADATA_OWNER | METADATA_GROUP);
    e.meta.mtime = time;
    assert_int_equal(export_tell_losses(f, &e, &told.watcher), told_text[0] != '\0');
    check_told(&told, told_text);
    assert_int_equal(timestamp_compare(export_time(f, time), stored), 0);
    told_release(&told);
}

static void times_are_cut_to_what_fits(void **state)
{
    static const char seconds[] = "loss t/e: its time is cut to a whole second";
    static const char ticks[] = "loss t/e: its time is cut to a ten-millionth of a second";

    (void)state;
    check_time(EXPORT_ZIP, (struct timestamp){5, 0}, (struct timestamp){5, 0}, "");
    check_time(EXPORT_ZIP, (struct timestamp){5, 1}, (struct timestamp){5, 0}, seconds);
    check_time(EXPORT_ZIP, (struct timestamp){-1, 999}, (struct timestamp){0, 0}, outside);
    check_time(EXPORT_ZIP, (struct timestamp){INT32_MAX, 0}, (struct timestamp){INT32_MAX, 0}, "");
    check_time(EXPORT_ZIP, (struct timestamp){INT64_C(1) << 31, 0},
               (struct timestamp){INT32_MAX, 0}, outside);
    check_time(EXPORT_7Z, (struct timestamp){5, 700}, (struct timestamp){5, 700}, "");
    check_time(EXPORT_7Z, (struct timestamp){5, 789}, (struct timestamp){5, 700}, ticks);
    check_time(EXPORT_7Z, (struct timestamp){-1, 0}, (struct timestamp){0, 0}, outside);
    check_time(EXPORT_CPIO, (struct timestamp){UINT32_MAX, 0}, (struct timestamp){UINT32_MAX, 0},
               "");
    check_time(EXPORT_CPIO, (struct timestamp){INT64_C(1) << 32, 0},
               (struct timestamp){UINT32_MAX, 0}, outside);
}

/* ---- The rest of the metadata ---- */

static void add(struct entry *e, const char *name)
{
    check_done(pairs_append(&e->meta.xattrs, bytes_of(name), bytes_of("x"), &err));
}

static void metadata_without_a_place_is_told(void **state)
{
    struct entry e = plain_entry(ENTRY_FILE);
    struct told told;

    (void)state;
    told_init(&told);
    assert_int_equal(export_tell_losses(export_facts(EXPORT_ZIP), &e, &told.watcher), 0);
    check_told(&told, "");
    e.meta.flags = FILE_FLAG_NODUMP;
    e.meta.mode = 04755;
    add(&e, "security.capability");
    add(&e, "system.posix_acl_access");
    add(&e, "system.posix_acl_default");
    add(&e, "system.ntfs_attrib");
    add(&e, "system.ntfs_acl");
    add(&e, "user.a");
    add(&e, "user.b");
    assert_int_equal(export_tell_losses(export_facts(EXPORT_CPIO), &e, &told.watcher), 5);
    check_told(&told, "loss t/e: its file flags are lost: the format has none; "
                      "loss t/e: extended attributes are lost: the format has none; "
                      "loss t/e: its ACL is lost: the format has none; "
                      "loss t/e: its capabilities are lost: the format has none; "
                      "loss t/e: what NTFS alone has of it is lost: the format has no place for "
                      "it");
    pairs_clear(&e.meta.xattrs);
    e.meta.flags = 0;
    assert_int_equal(export_tell_losses(export_facts(EXPORT_7Z), &e, &told.watcher), 2);
    check_told(&told, "loss t/e: its owner and group are lost: the format has none; "
                      "loss t/e: its setuid or setgid bit is stored, but readers of the format "
                      "drop it");
    pairs_release(&e.meta.xattrs);
    told_release(&told);
}

static void what_is_not_known_is_not_lost(void **state)
{
    struct entry e = plain_entry(ENTRY_FILE);
    struct told told;

    (void)state;
    told_init(&told);
    e.meta.known = METADATA_MODE;
    e.meta.mtime.nanoseconds = 1;
    e.meta.flags = FILE_FLAG_NODUMP;
    assert_int_equal(export_tell_losses(export_facts(EXPORT_7Z), &e, &told.watcher), 0);
    check_told(&told, "");
    told_release(&told);
}

/* ---- Recognising ---- */

static void archives_are_known_by_their_first_bytes(void **state)
{
    (void)state;
    assert_true(export_recognises(EXPORT_ZIP, bytes_of("PK\3\4\24\0")));
    assert_true(export_recognises(EXPORT_ZIP, bytes_of("PK\5\6")));
    assert_false(export_recognises(EXPORT_ZIP, bytes_of("PK\3")));
    assert_false(export_recognises(EXPORT_ZIP, bytes_of("070701")));
    assert_true(export_recognises(EXPORT_7Z, bytes_of("7z\xbc\xaf\x27\x1c")));
    assert_false(export_recognises(EXPORT_7Z, bytes_of("7z\xbc\xaf\x27")));
    assert_true(export_recognises(EXPORT_CPIO, bytes_of("070701")));
    assert_false(export_recognises(EXPORT_CPIO, bytes_of("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_without_a_place_are_named),
        cmocka_unit_test(sizes_without_a_place_are_named),
        cmocka_unit_test(paths_without_a_place_are_named),
        cmocka_unit_test(times_are_cut_to_what_fits),
        cmocka_unit_test(metadata_without_a_place_is_told),
        cmocka_unit_test(what_is_not_known_is_not_lost),
        cmocka_unit_test(archives_are_known_by_their_first_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
