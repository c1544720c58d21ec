/*
 * NTFS volumes, as ntfs-3g mounts them: reparse points made and read byte for byte, and the
 * metadata beside; and file systems that have none of it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>

#include "os/os.h"
#include "support/check.h"
#include "support/folder.h"
#include "support/ntfs.h"

/* A buffer of any tag, `count` bytes with the header. */
static struct bytes other_buffer(struct buffer *out, uint32_t tag, size_t count)
{
    struct error err = {0};

    buffer_clear(out);
    check_done(buffer_append_u32(out, tag, &err));
    check_done(buffer_append_u32(out, (uint32_t)count - 8, &err));
    while (out->size < count)
        check_done(buffer_append_byte(out, (uint8_t)(out->size * 7), &err));
    return buffer_bytes(out);
}

static void check_reparse(os_handle folder, const char *name, struct bytes wanted)
{
    struct buffer got = {0};
    struct error err = {0};

    assert_int_equal(check_done(os_read_reparse(folder, name, &got, &err)), 1);
    assert_true(bytes_equal(buffer_bytes(&got), wanted));
    buffer_release(&got);
}

static void attributes_tell_what_a_volume_is(void **state)
{
    struct ntfs *n = *state;
    struct error err = {0};
    struct os_object top = {.handle = n->handle};
    struct os_volume v;
    uint32_t attributes;

    ntfs_need(n);
    check_done(os_volume_facts(n->handle, &v, &err));
    assert_true(v.reparse_points && v.link_count_is_hint);
    assert_int_equal(v.time_grain_ns, 100);
    assert_int_equal(check_done(os_ntfs_attributes(&top, &attributes, &err)), 1);
    assert_true(attributes & OS_ATTRIBUTE_DIRECTORY);
}

static void junctions_are_made_and_read(void **state)
{
    struct ntfs *n = *state;
    struct error err = {0};
    struct os_object o = {OS_NO_HANDLE, n->handle, "junction"};
    struct buffer raw = {0};
    struct os_stat s;
    uint32_t attributes;

    ntfs_need(n);
    ntfs_junction(&raw, "C:\\Users\\all of them");
    check_done(os_make_reparse(n->handle, "junction", OS_FLAVOUR_FOLDER, buffer_bytes(&raw), &err));
    check_done(os_stat_at(n->handle, "junction", &s, &err));
    assert_int_equal(s.kind, OS_SYMLINK);
    check_reparse(n->handle, "junction", buffer_bytes(&raw));
    assert_int_equal(check_done(os_ntfs_attributes(&o, &attributes, &err)), 1);
    assert_true(attributes & OS_ATTRIBUTE_DIRECTORY);
    assert_true(attributes & OS_ATTRIBUTE_REPARSE_POINT);
    check_code(os_make_reparse(n->handle, "junction", OS_FLAVOUR_FOLDER, buffer_bytes(&raw), &err),
               EEXIST);
    check_done(os_rename(n->handle, "junction", n->handle, "other", &err));
    check_reparse(n->handle, "other", buffer_bytes(&raw));
    check_done(os_remove(n->handle, "other", &err));
    buffer_release(&raw);
}

static void any_tag_and_size_comes_back(void **state)
{
    static const size_t sizes[] = {8, 9, 100, 4096, 4097, 16000, OS_REPARSE_MAX_BYTES};
    struct ntfs *n = *state;
    struct error err = {0};
    struct buffer raw = {0};
    uint32_t attributes;

    ntfs_need(n);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        enum os_flavour flavour = i % 2 ? OS_FLAVOUR_FOLDER : OS_FLAVOUR_FILE;
        struct os_object o = {OS_NO_HANDLE, n->handle, "cloud"};
        struct bytes b = other_buffer(&raw, 0x9000001a, sizes[i]);
        check_done(os_make_reparse(n->handle, "cloud", flavour, b, &err));
        check_reparse(n->handle, "cloud", b);
        check_done(os_ntfs_attributes(&o, &attributes, &err));
        assert_int_equal((attributes & OS_ATTRIBUTE_DIRECTORY) != 0, flavour == OS_FLAVOUR_FOLDER);
        check_done(os_remove(n->handle, "cloud", &err));
    }
    buffer_release(&raw);
}

static void what_cannot_be_made_is_not_there(void **state)
{
    struct ntfs *n = *state;
    struct error err = {0};
    struct buffer raw = {0};
    struct os_stat s;

    ntfs_need(n);
    ntfs_junction(&raw, "C:\\x");
    check_kind(os_make_reparse(n->handle, "file", OS_FLAVOUR_FILE, buffer_bytes(&raw), &err),
               ERROR_UNSUPPORTED);
    check_code(os_stat_at(n->handle, "file", &s, &err), ENOENT);
    check_kind(os_make_reparse(n->handle, "none", OS_FLAVOUR_FOLDER, bytes_make("abc", 3), &err),
               ERROR_UNSUPPORTED);
    check_code(os_stat_at(n->handle, "none", &s, &err), ENOENT);
    check_kind(os_make_reparse(n->handle, "..", OS_FLAVOUR_FILE, buffer_bytes(&raw), &err),
               ERROR_REFUSED);
    check_kind(os_make_reparse(n->handle, "large", OS_FLAVOUR_FILE,
                               other_buffer(&raw, 0x80000017, OS_REPARSE_MAX_BYTES + 1), &err),
               ERROR_UNSUPPORTED);
    buffer_release(&raw);
}

/* The value of one attribute in a list; no bytes if there is none. */
static struct bytes value_of(const struct pairs *p, const char *name)
{
    ptrdiff_t at = pairs_find(p, bytes_of(name));

    return at < 0 ? bytes_make(NULL, 0) : pairs_value(p, (size_t)at);
}

static void metadata_is_told_and_set(void **state)
{
    static const uint8_t hidden[] = {0x22, 0x20, 0, 0}, created[] = {1, 2, 3, 4, 5, 6, 7, 1};
    static const uint8_t id[64] = "an object id";
    struct ntfs *n = *state;
    struct error err = {0};
    struct pairs p = {0};
    struct os_object o = {OS_NO_HANDLE, n->handle, "file"};

    ntfs_need(n);
    folder_write(n->handle, "file", 0600, "content");
    check_done(os_set_xattr(&o, OS_NTFS_ATTRIBUTES, bytes_make(hidden, 4), &err));
    check_done(os_set_xattr(&o, OS_NTFS_CREATION_TIME, bytes_make(created, 8), &err));
    check_done(os_set_xattr(&o, OS_NTFS_SHORT_NAME, bytes_of("FILE~7"), &err));
    check_done(os_set_xattr(&o, "system.ntfs_object_id", bytes_make(id, sizeof id), &err));
    check_done(os_list_ntfs(&o, &p, &err));
    assert_true(bytes_equal(value_of(&p, OS_NTFS_ATTRIBUTES), bytes_make(hidden, 4)));
    assert_true(bytes_equal(value_of(&p, OS_NTFS_CREATION_TIME), bytes_make(created, 8)));
    check_text(value_of(&p, OS_NTFS_SHORT_NAME), "FILE~7");
    assert_true(bytes_equal(value_of(&p, "system.ntfs_object_id"), bytes_make(id, sizeof id)));
    assert_true(value_of(&p, OS_NTFS_ACL).size >= 20);
    assert_true(pairs_find(&p, bytes_of("system.ntfs_ea")) < 0);
    pairs_release(&p);
}

static void other_file_systems_have_none(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    struct buffer raw = {0};
    struct pairs p = {0};
    struct os_object o = folder_object(f->handle, "file");
    struct os_volume v;
    struct os_stat s;
    uint32_t attributes;

    folder_write(f->handle, "file", 0600, "");
    check_done(os_volume_facts(f->handle, &v, &err));
    if (v.reparse_points)
        check_skip("the temporary folder is on an NTFS volume");
    assert_int_equal(check_done(os_ntfs_attributes(&o, &attributes, &err)), 0);
    assert_int_equal(check_done(os_read_reparse(f->handle, "file", &raw, &err)), 0);
    check_done(os_list_ntfs(&o, &p, &err));
    assert_int_equal(p.count, 0);
    ntfs_junction(&raw, "C:\\x");
    check_kind(os_make_reparse(f->handle, "link", OS_FLAVOUR_FOLDER, buffer_bytes(&raw), &err),
               ERROR_UNSUPPORTED);
    check_code(os_stat_at(f->handle, "link", &s, &err), ENOENT);
    buffer_release(&raw);
}

int main(void)
{
    const struct CMUnitTest on_ntfs[] = {
        cmocka_unit_test(attributes_tell_what_a_volume_is),
        cmocka_unit_test(junctions_are_made_and_read),
        cmocka_unit_test(any_tag_and_size_comes_back),
        cmocka_unit_test(what_cannot_be_made_is_not_there),
        cmocka_unit_test(metadata_is_told_and_set),
    };
    const struct CMUnitTest elsewhere[] = {
        cmocka_unit_test_setup_teardown(other_file_systems_have_none, folder_setup,
                                        folder_teardown),
    };
    int failed = cmocka_run_group_tests(on_ntfs, ntfs_setup, ntfs_teardown);

    return cmocka_run_group_tests(elsewhere, NULL, NULL) + failed;
}
