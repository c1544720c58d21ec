/*
 * The decoder over extended headers: which record wins, times, attributes as GNU tar and libarchive
 * write them, ACLs, flags, and GNU's sparse files in all forms.
 */
#include "archive/tar.h"

#include <stdio.h>
#include <string.h>

#include "support/check.h"
#include "support/tarball.h"

static int setup(void **state)
{
    static struct tarball t;
    tarball_init(&t);
    *state = &t;
    return 0;
}

static int teardown(void **state)
{
    tarball_release(*state);
    return 0;
}

static void finish(struct tarball *t)
{
    tarball_zeros(t, 2);
    tarball_open(t);
}

/* Appends an x header of text records, ended by NULL. */
static void extended(struct tarball *t, const char *const *texts)
{
    struct bytes records[20];
    size_t count = 0;
    for (; texts[count]; count++)
        records[count] = bytes_of(texts[count]);
    tarball_extended(t, 'x', records, count);
}

static void records_win_over_fields(void **state)
{
    struct tarball *t = *state;
    extended(t, (const char *const[]){"path=old", "path=a/new name", "linkpath=to\nthis",
                                      "uid=3000000", "gid=4294967294", "uname=ann",
                                      "gname=a-name-of-more-than-thirty-two-bytes-in-all",
                                      "mtime=-1.25", "atime=7", "ctime=8.0000000019",
                                      "LIBARCHIVE.creationtime=9.5", "comment=a word",
                                      "hdrcharset=BINARY", "SCHILY.dev=1", "VENDOR.key=x", NULL});
    tarball_header(t, "short", '2', 0);
    tarball_header(t, "second", '0', 0);
    finish(t);
    const struct tar_member *m = tarball_next(t);
    check_text(m->path, "a/new name");
    check_text(m->link, "to\nthis");
    assert_int_equal(m->meta.owner, 3000000);
    assert_int_equal(m->meta.group, 4294967294);
    assert_string_equal(m->meta.owner_name, "ann");
    assert_string_equal(m->meta.group_name, "a-name-of-more-than-thirty-two-bytes-in-all");
    assert_int_equal(m->meta.mtime.seconds, -2);
    assert_int_equal(m->meta.mtime.nanoseconds, 750000000);
    assert_int_equal(m->meta.atime.seconds, 7);
    assert_int_equal(m->meta.ctime.nanoseconds, 1);
    assert_int_equal(m->meta.btime.nanoseconds, 500000000);
    assert_int_equal(m->meta.known, METADATA_MODE | METADATA_OWNER | METADATA_GROUP |
                                        METADATA_MTIME | METADATA_ATIME | METADATA_CTIME |
                                        METADATA_BTIME);
    check_text(m->comment, "a word");
    m = tarball_next(t);
    check_text(m->path, "second");
    assert_int_equal(m->comment.size, 0);
    assert_int_equal(m->meta.mtime.seconds, 1);
    assert_null(m->meta.owner_name);
    assert_false(m->meta.known & METADATA_ATIME);
}

static void a_record_of_size_wins(void **state)
{
    struct tarball *t = *state;
    tarball_record(t, "size=4");
    tarball_header(t, "file", '0', 0);
    tarball_body(t, bytes_of("data"));
    tarball_header(t, "next", '0', 0);
    finish(t);
    assert_int_equal(tarball_next(t)->size, 4);
    tarball_has_data(t, bytes_of("data"));
    check_text(tarball_next(t)->path, "next");
}

static void global_records_hold_until_they_are_changed(void **state)
{
    struct tarball *t = *state;
    struct bytes first[] = {bytes_of("uid=7"), bytes_of("gid=8"),
                            bytes_of("comment=of the archive")};
    struct bytes second[] = {bytes_of("uid=")};
    tarball_extended(t, 'g', first, 3);
    tarball_header(t, "a", '0', 0);
    extended(t, (const char *const[]){"uid=9", "gid=", NULL});
    tarball_header(t, "b", '0', 0);
    tarball_header(t, "c", '0', 0);
    tarball_extended(t, 'g', second, 1);
    tarball_header(t, "d", '0', 0);
    finish(t);
    static const uint64_t owners[][2] = {{7, 8}, {9, 0}, {7, 8}, {0, 8}};
    for (size_t i = 0; i < 4; i++) {
        const struct tar_member *m = tarball_next(t);
        assert_int_equal(m->meta.owner, owners[i][0]);
        assert_int_equal(m->meta.group, owners[i][1]);
        assert_int_equal(m->comment.size, 0);
    }
    tarball_ends(t);
}

static void check_xattr(const struct tar_member *m, size_t index, const char *name,
                        struct bytes value)
{
    check_text(pairs_name(&m->meta.xattrs, index), name);
    assert_true(bytes_equal(pairs_value(&m->meta.xattrs, index), value));
}

static void gnu_attributes_decode_what_gnu_tar_encodes(void **state)
{
    struct tarball *t = *state;
    struct bytes records[] = {
        bytes_of("SCHILY.xattr.user.z%3Da%25b%20c=1"),
        bytes_make("SCHILY.xattr.user.nul=a\0b\n", 26),
        bytes_of("SCHILY.xattr.user.empty="),
        bytes_of("SCHILY.xattr.user.nul=again"),
        bytes_of("RHT.security.selinux=label"),
    };
    tarball_extended(t, 'x', records, 5);
    tarball_header(t, "file", '0', 0);
    finish(t);
    const struct tar_member *m = tarball_next(t);
    assert_int_equal(m->meta.xattrs.count, 4);
    check_xattr(m, 0, "security.selinux", bytes_make("label", 6));
    check_xattr(m, 1, "user.empty", bytes_of(""));
    check_xattr(m, 2, "user.nul", bytes_of("again"));
    check_xattr(m, 3, "user.z=a%b%20c", bytes_of("1"));
    assert_true(m->meta.known & METADATA_XATTRS);
    assert_false(m->meta.known & METADATA_ACL);
}

static void libarchive_twins_are_one_attribute(void **state)
{
    struct tarball *t = *state;
    struct bytes records[] = {
        bytes_of("LIBARCHIVE.xattr.user.%C3%A4=w6k"),
        bytes_of("SCHILY.xattr.user.%C3%A4=\xc3\xa9"),
        bytes_of("LIBARCHIVE.xattr.user.only%20here=AP8"),
        bytes_of("LIBARCHIVE.xattr.user.void="),
    };
    tarball_extended(t, 'x', records, 4);
    tarball_header(t, "file", '0', 0);
    finish(t);
    const struct tar_member *m = tarball_next(t);
    assert_int_equal(m->meta.xattrs.count, 3);
    check_xattr(m, 0, "user.only here", bytes_make("\0\xff", 2));
    check_xattr(m, 1, "user.void", bytes_of(""));
    check_xattr(m, 2, "user.\xc3\xa4", bytes_of("\xc3\xa9"));
}

static void acls_become_attributes(void **state)
{
    struct tarball *t = *state;
    static const uint8_t binary[] = {2,    0,    0, 0, 1,    0,    6,    0,    0xff, 0xff,
                                     0xff, 0xff, 4, 0, 4,    0,    0xff, 0xff, 0xff, 0xff,
                                     0x20, 0,    0, 0, 0xff, 0xff, 0xff, 0xff};
    extended(t,
             (const char *const[]){"SCHILY.acl.access=user::rw-,group::r--,other::---",
                                   "SCHILY.acl.default=user::rw-\ngroup::r--\nother::---\n", NULL});
    tarball_header(t, "dir", '5', 0);
    finish(t);
    const struct tar_member *m = tarball_next(t);
    /* An access ACL that says what the mode says is none. */
    assert_int_equal(m->meta.xattrs.count, 1);
    check_xattr(m, 0, "system.posix_acl_default", bytes_make(binary, sizeof binary));
    assert_true(m->meta.known & METADATA_ACL);
    assert_false(m->acl_lost);
}

static void an_acl_of_names_is_lost_unless_it_is_an_attribute_too(void **state)
{
    struct tarball *t = *state;
    const char *names = "SCHILY.acl.access=user::rw-,user:ann:rw-,group::r--,mask::rw-,other::---";
    tarball_record(t, names);
    tarball_header(t, "lost", '0', 0);
    extended(t, (const char *const[]){names, "SCHILY.xattr.system.posix_acl_access=binary", NULL});
    tarball_header(t, "kept", '0', 0);
    finish(t);
    const struct tar_member *m = tarball_next(t);
    assert_true(m->acl_lost);
    assert_false(m->meta.known & METADATA_ACL);
    m = tarball_next(t);
    assert_false(m->acl_lost);
    assert_true(m->meta.known & METADATA_ACL);
    assert_int_equal(m->meta.xattrs.count, 1);
}

static void flags_are_read_from_words(void **state)
{
    struct tarball *t = *state;
    tarball_record(t, "SCHILY.fflags=sappnd,schg,nodump,noatime,sync,dirsync,topdir,nocow");
    tarball_header(t, "all", '0', 0);
    tarball_record(t, "SCHILY.fflags=uchg,opaque");
    tarball_header(t, "bsd", '0', 0);
    finish(t);
    const struct tar_member *m = tarball_next(t);
    assert_int_equal(m->meta.flags, 0xff);
    assert_true(m->meta.known & METADATA_FLAGS);
    assert_false(m->flags_lost);
    m = tarball_next(t);
    assert_int_equal(m->meta.flags, FILE_FLAG_IMMUTABLE);
    assert_true(m->flags_lost);
}

/* --- sparse files --- */

static void check_sparse(struct tarball *t)
{
    const struct tar_member *m = tarball_next(t);
    assert_int_equal(m->type, TAR_FILE);
    check_text(m->path, "sparse");
    assert_true(m->sparse);
    assert_int_equal(m->size, 5000);
    assert_int_equal(m->extent_count, 2);
    assert_int_equal(m->extents[0].offset, 512);
    assert_int_equal(m->extents[0].length, 3);
    assert_int_equal(m->extents[1].offset, 4000);
    assert_int_equal(m->extents[1].length, 4);
    tarball_has_data(t, bytes_of("abcdefg"));
    check_text(tarball_next(t)->path, "next");
    tarball_ends(t);
}

static void sparse_0_0(void **state)
{
    struct tarball *t = *state;
    extended(t, (const char *const[]){"GNU.sparse.size=5000", "GNU.sparse.numblocks=3",
                                      "GNU.sparse.offset=512", "GNU.sparse.numbytes=3",
                                      "GNU.sparse.offset=4000", "GNU.sparse.numbytes=4",
                                      "GNU.sparse.offset=5000", "GNU.sparse.numbytes=0", NULL});
    tarball_member(t, "sparse", '0', bytes_of("abcdefg"));
    tarball_header(t, "next", '0', 0);
    finish(t);
    check_sparse(t);
}

static void sparse_0_1(void **state)
{
    struct tarball *t = *state;
    extended(t, (const char *const[]){"GNU.sparse.size=5000", "GNU.sparse.numblocks=3",
                                      "path=GNUSparseFile.1/sparse", "GNU.sparse.name=sparse",
                                      "GNU.sparse.map=512,3,4000,4,5000,0", NULL});
    tarball_member(t, "other", '0', bytes_of("abcdefg"));
    tarball_header(t, "next", '0', 0);
    finish(t);
    check_sparse(t);
}

static void sparse_1_0(void **state)
{
    struct tarball *t = *state;
    extended(t, (const char *const[]){"GNU.sparse.major=1", "GNU.sparse.minor=0",
                                      "GNU.sparse.name=sparse", "GNU.sparse.realsize=5000", NULL});
    tarball_header(t, "GNUSparseFile.0/sparse", '0', 512 + 7);
    tarball_body(t, bytes_of("3\n512\n3\n4000\n4\n5000\n0\n"));
    tarball_body(t, bytes_of("abcdefg"));
    tarball_header(t, "next", '0', 0);
    finish(t);
    check_sparse(t);
}

static void sparse_of_old_gnu(void **state)
{
    struct tarball *t = *state;
    size_t h = tarball_header(t, "sparse", 'S', 7);
    tarball_patch(t, h, AT_REAL_SIZE, bytes_of("00000011610"));
    tarball_patch(t, h, AT_SLOTS,
                  bytes_make("00000001000\0"
                             "00000000001\0"
                             "00000001001\0"
                             "00000000002\0",
                             48));
    tarball_patch(t, h, AT_SLOTS + 48,
                  bytes_make("00000007640\0"
                             "00000000002\0"
                             "00000007642\0"
                             "00000000001\0",
                             48));
    tarball_patch(t, h, AT_EXTENDED, bytes_make("\1", 1));
    tarball_make_gnu(t, h);
    tarball_body(t, bytes_make("00000007643\0"
                               "00000000001\0"
                               "00000011610\0"
                               "00000000000\0",
                               48));
    tarball_body(t, bytes_of("abcdefg"));
    tarball_header(t, "next", '0', 0);
    finish(t);
    check_sparse(t);
}

/* Many ranges: the map's lines cross blocks. */
static void a_long_map_crosses_blocks(void **state)
{
    struct tarball *t = *state;
    struct buffer map = {0};
    struct error err = {0};
    check_done(buffer_append(&map, "300\n", 4, &err));
    for (unsigned i = 0; i < 300; i++) {
        char line[40];
        int count = snprintf(line, sizeof line, "%u\n1\n", 1000 * i);
        check_done(buffer_append(&map, line, (size_t)count, &err));
    }
    extended(t, (const char *const[]){"GNU.sparse.major=1", "GNU.sparse.minor=0",
                                      "GNU.sparse.realsize=300000", NULL});
    tarball_header(t, "file", '0', (map.size + 511) / 512 * 512 + 300);
    tarball_body(t, buffer_bytes(&map));
    tarball_body(t, bytes_make((uint8_t[300]){0}, 300));
    finish(t);
    assert_int_equal(tarball_next(t)->extent_count, 300);
    tarball_ends(t);
    buffer_release(&map);
}

static void wrong_maps_are_errors(void **state)
{
    static const char *const maps[][2] = {
        {"GNU.sparse.size=5000", "GNU.sparse.map=512,3,514,4"},  /* overlap */
        {"GNU.sparse.size=5000", "GNU.sparse.map=4000,3,512,4"}, /* order */
        {"GNU.sparse.size=5000", "GNU.sparse.map=512,3,4999,4"}, /* beyond the end */
        {"GNU.sparse.size=5000", "GNU.sparse.map=512,3,4000,5"}, /* more than is stored */
        {"GNU.sparse.size=5000", "GNU.sparse.map=512,3,4000"},   /* half a range */
        {"GNU.sparse.size=5000", "GNU.sparse.map=512,3,,4"},
        {"GNU.sparse.size=5000", "GNU.sparse.map=9223372036854775807,7"},
        {"GNU.sparse.size=5000", "GNU.sparse.offset=5"},
        {"GNU.sparse.size=5000", "GNU.sparse.numbytes=7"},
        {"GNU.sparse.size=x", "GNU.sparse.map=0,7"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) {
        struct tarball t;
        tarball_init(&t);
        extended(&t, (const char *const[]){maps[i][0], maps[i][1], NULL});
        tarball_member(&t, "file", '0', bytes_of("abcdefg"));
        finish(&t);
        tarball_fails(&t, ERROR_FORMAT);
        tarball_release(&t);
    }
}

static void a_later_sparse_form_is_not_supported(void **state)
{
    struct tarball *t = *state;
    extended(t, (const char *const[]){"GNU.sparse.major=2", "GNU.sparse.minor=0",
                                      "GNU.sparse.realsize=1", NULL});
    tarball_header(t, "file", '0', 0);
    finish(t);
    tarball_fails(t, ERROR_UNSUPPORTED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(records_win_over_fields),
        TEST(a_record_of_size_wins),
        TEST(global_records_hold_until_they_are_changed),
        TEST(gnu_attributes_decode_what_gnu_tar_encodes),
        TEST(libarchive_twins_are_one_attribute),
        TEST(acls_become_attributes),
        TEST(an_acl_of_names_is_lost_unless_it_is_an_attribute_too),
        TEST(flags_are_read_from_words),
        TEST(sparse_0_0),
        TEST(sparse_0_1),
        TEST(sparse_1_0),
        TEST(sparse_of_old_gnu),
        TEST(a_long_map_crosses_blocks),
        TEST(wrong_maps_are_errors),
        TEST(a_later_sparse_form_is_not_supported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
