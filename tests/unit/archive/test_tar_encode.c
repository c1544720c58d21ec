/*
 * The encoder: the bytes of each part of the dialect, and that the decoder gives back what was
 * encoded.
 */
#include "archive/tar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/check.h"
#include "support/tarball.h"

enum { BLOCK = 512 };

/* Encodes into the archive and appends as much data as the member announces, bytes of 'd'. */
static void encode(struct tarball *t, const struct tar_member *m)
{
    struct error err = {0};
    check_done(tar_encode(&t->bytes, m, &err));
    assert_int_equal(t->bytes.size % BLOCK, 0);
    uint64_t count = tar_stored_bytes(m);
    for (uint64_t i = 0; i < (count + BLOCK - 1) / BLOCK * BLOCK; i++)
        check_done(buffer_append_byte(&t->bytes, i < count ? 'd' : 0, &err));
}

static struct tar_member plain(enum tar_type type, const char *path)
{
    return (struct tar_member){
        .type = type,
        .path = bytes_of(path),
        .meta = {.known = METADATA_MODE | METADATA_OWNER | METADATA_GROUP | METADATA_MTIME,
                 .mode = 0644},
    };
}

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

static const uint8_t *block(const struct tarball *t, size_t index)
{
    assert_true((index + 1) * BLOCK <= t->bytes.size);
    return t->bytes.data + index * BLOCK;
}

static void check_field(const struct tarball *t, size_t index, size_t offset, struct bytes wanted)
{
    assert_memory_equal(block(t, index) + offset, wanted.data, wanted.size);
}

static void a_plain_member_is_one_block(void **state)
{
    struct tarball *t = *state;
    struct tar_member m = plain(TAR_FILE, "dir/file");
    m.size = 3;
    m.meta.mode = 06755;
    m.meta.owner = 1000;
    m.meta.group = 2097151;
    m.meta.mtime.seconds = 0x1ffffffff;
    m.meta.owner_name = "ann";
    m.meta.group_name = "a-group-name-of-31-bytes-in-all";
    encode(t, &m);
    assert_int_equal(t->bytes.size, 2 * BLOCK);
    check_field(t, 0, AT_NAME, bytes_make("dir/file\0", 10));
    check_field(t, 0, AT_MODE, bytes_make("0006755", 8));
    check_field(t, 0, AT_UID, bytes_make("0001750", 8));
    check_field(t, 0, AT_GID, bytes_make("7777777", 8));
    check_field(t, 0, AT_SIZE, bytes_make("00000000003", 12));
    check_field(t, 0, AT_MTIME, bytes_make("77777777777", 12));
    check_field(t, 0, AT_TYPE, bytes_of("0"));
    check_field(t, 0, AT_MAGIC, bytes_make("ustar\00000", 8));
    check_field(t, 0, AT_UNAME, bytes_make("ann", 4));
    check_field(t, 0, AT_GNAME, bytes_make("a-group-name-of-31-bytes-in-all", 32));
    check_field(t, 0, AT_MAJOR, bytes_make("0000000", 8));
    assert_true(tar_is_header(block(t, 0)));
    assert_int_equal(block(t, 0)[AT_CHECKSUM + 6], 0);
    assert_int_equal(block(t, 0)[AT_CHECKSUM + 7], ' ');
}

/* A path of `count` bytes whose components are as long as asked. */
static char *long_path(size_t count, size_t component)
{
    char *path = malloc(count + 1);
    assert_non_null(path);
    for (size_t i = 0; i < count; i++)
        path[i] = i % (component + 1) == component && i + 1 < count ? '/' : (char)('a' + i % 26);
    path[count] = 0;
    return path;
}

static void check_names(enum tar_type type, size_t bytes, size_t component, bool sparse)
{
    struct tarball t;
    char *path = long_path(bytes, component);
    char *target = long_path(bytes, 1000);
    struct tar_member m = plain(type, path);
    bool is_link = type == TAR_SYMLINK || type == TAR_HARD_LINK;
    m.link = is_link ? bytes_of(target) : bytes_of("");
    m.sparse = sparse;
    tarball_init(&t);
    encode(&t, &m);
    tarball_zeros(&t, 2);
    tarball_open(&t);
    const struct tar_member *got = tarball_next(&t);
    assert_int_equal(got->type, type);
    check_text(got->path, path);
    check_text(got->link, is_link ? target : "");
    assert_int_equal(got->sparse, sparse);
    tarball_ends(&t);
    tarball_release(&t);
    free(path);
    free(target);
}

static void names_of_every_length_come_back(void **state)
{
    static const enum tar_type types[] = {TAR_FILE, TAR_DIRECTORY, TAR_SYMLINK, TAR_HARD_LINK,
                                          TAR_FIFO};
    (void)state;
    for (size_t bytes = 1; bytes<600; bytes += bytes> 90 && bytes < 270 ? 1 : 13) {
        for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
            check_names(types[i], bytes, 20, false);
            check_names(types[i], bytes, 155, false);
            check_names(types[i], bytes, 1000, false);
        }
        check_names(TAR_FILE, bytes, 20, true);
    }
    check_names(TAR_SYMLINK, TAR_MAX_PATH_BYTES, 200, false);
}

static void where_a_name_stands_depends_on_its_length(void **state)
{
    static const struct {
        size_t bytes, component;
        enum tar_type type;
        char first; /* type of the first header */
        bool prefix;
    } cases[] = {
        {100, 1000, TAR_FILE, '0', false},     {101, 1000, TAR_FILE, 'L', false},
        {99, 1000, TAR_DIRECTORY, '5', false}, {100, 1000, TAR_DIRECTORY, 'L', false},
        {256, 155, TAR_FILE, '0', true},       {257, 155, TAR_FILE, 'L', false},
        {255, 155, TAR_DIRECTORY, '5', true},  {256, 155, TAR_DIRECTORY, 'L', false},
        {257, 156, TAR_FILE, 'L', false},      {101, 0, TAR_FILE, '0', true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tarball t;
        /* A component of 0 bytes stands for "a/" in front of one long name. */
        char *path = long_path(cases[i].bytes, cases[i].component ? cases[i].component : 1000);
        if (cases[i].component == 0)
            path[1] = '/';
        struct tar_member m = plain(cases[i].type, path);
        tarball_init(&t);
        encode(&t, &m);
        assert_int_equal(block(&t, 0)[AT_TYPE], cases[i].first);
        assert_int_equal(block(&t, 0)[AT_PREFIX] != 0, cases[i].prefix);
        tarball_release(&t);
        free(path);
    }
}

static void long_texts_stand_in_gnu_headers(void **state)
{
    struct tarball *t = *state;
    char *target = long_path(101, 1000);
    char *path = long_path(512, 1000);
    struct tar_member m = plain(TAR_SYMLINK, path);
    m.link = bytes_of(target);
    encode(t, &m);
    check_field(t, 0, AT_NAME, bytes_make("././@LongLink", 14));
    check_field(t, 0, AT_TYPE, bytes_of("K"));
    check_field(t, 0, AT_SIZE, bytes_make("00000000146", 12));
    check_field(t, 0, AT_MAGIC, bytes_make("ustar  ", 8));
    check_field(t, 1, 0, bytes_make(target, 102));
    check_field(t, 2, AT_TYPE, bytes_of("L"));
    check_field(t, 2, AT_SIZE, bytes_make("00000001001", 12));
    check_field(t, 3, 0, bytes_make(path, 512));
    check_field(t, 4, 0, bytes_make("\0", 2));
    check_field(t, 5, AT_TYPE, bytes_of("2"));
    check_field(t, 5, AT_NAME, bytes_make(path, 100));
    check_field(t, 5, AT_LINK, bytes_make(target, 100));
    free(target);
    free(path);
}

static void only_what_a_field_cannot_say_is_a_record(void **state)
{
    struct tarball *t = *state;
    struct tar_member m = plain(TAR_CHAR_DEVICE, "device");
    m.meta.mtime = (struct timestamp){-2, 750000000};
    m.meta.owner = 2097152;
    m.meta.known |= METADATA_ATIME;
    m.meta.atime.seconds = 5;
    m.meta.owner_name = "an-owner-name-of-32-bytes-in-all";
    m.meta.group_name = "a-group-name-that-is-long-\xc3\xbc-and-no-ascii";
    m.device_major = 5;
    m.device_minor = 2097152;
    m.comment = bytes_of("words");
    encode(t, &m);
    check_field(t, 0, AT_TYPE, bytes_of("x"));
    check_field(t, 0, AT_NAME, bytes_make("PaxHeaders/device", 18));
    check_field(t, 1, 0,
                bytes_of("15 mtime=-1.25\n11 atime=5\n15 uid=2097152\n"
                         "42 uname=an-owner-name-of-32-bytes-in-all\n17 comment=words\n"));
    check_field(t, 2, AT_UID, bytes_make("\x80\0\0\0\0\x20\0", 8));
    check_field(t, 2, AT_GID, bytes_make("0000000", 8));
    check_field(t, 2, AT_MTIME, bytes_make("00000000000", 12));
    check_field(t, 2, AT_UNAME, bytes_make("\0", 2));
    check_field(t, 2, AT_GNAME, bytes_make("\0", 2));
    check_field(t, 2, AT_MINOR, bytes_make("\x80\0\0\0\0\x20\0", 8));
    assert_int_equal(t->bytes.size, 3 * BLOCK);
}

static void a_large_size_stands_in_field_and_record(void **state)
{
    struct tarball *t = *state;
    struct error err = {0};
    struct tar_member m = plain(TAR_FILE, "file");
    m.size = 077777777777;
    check_done(tar_encode(&t->bytes, &m, &err));
    assert_int_equal(t->bytes.size, BLOCK);
    m.size++;
    check_done(tar_encode(&t->bytes, &m, &err));
    check_field(t, 2, 0, bytes_of("19 size=8589934592\n"));
    check_field(t, 3, AT_SIZE, bytes_make("\x80\0\0\0\0\0\0\x02\0\0\0\0", 12));
}

static void a_sparse_header_holds_four_ranges(void **state)
{
    struct tarball *t = *state;
    struct extent extents[30];
    struct tar_member m = plain(TAR_FILE, "file");
    for (size_t i = 0; i < 30; i++)
        extents[i] = (struct extent){i * 4096, 8};
    m.sparse = true;
    m.size = 29 * 4096 + 8;
    m.extents = extents;
    m.extent_count = 30;
    assert_int_equal(tar_stored_bytes(&m), 240);
    encode(t, &m);
    check_field(t, 0, AT_TYPE, bytes_of("S"));
    check_field(t, 0, AT_MAGIC, bytes_make("ustar  ", 8));
    check_field(t, 0, AT_SIZE, bytes_make("00000000360", 12));
    check_field(t, 0, AT_REAL_SIZE, bytes_make("00000350010", 12));
    check_field(t, 0, AT_SLOTS,
                bytes_make("00000000000\0"
                           "00000000010\0"
                           "00000010000\0"
                           "00000000010",
                           48));
    check_field(t, 0, AT_EXTENDED, bytes_make("\1", 1));
    check_field(t, 1, 0,
                bytes_make("00000040000\0"
                           "00000000010",
                           24));
    check_field(t, 1, 504, bytes_make("\1", 1));
    check_field(t, 2, 5 * 24, bytes_make("\0", 2));
    assert_int_equal(t->bytes.size, 4 * BLOCK);
    tarball_zeros(t, 2);
    tarball_open(t);
    const struct tar_member *got = tarball_next(t);
    assert_int_equal(got->extent_count, 30);
    assert_memory_equal(got->extents, extents, sizeof extents);
    tarball_ends(t);
}

/* A map ends with an empty range where the file ends with a hole, as GNU tar writes it. */
static void a_hole_at_the_end_is_an_empty_range(void **state)
{
    struct tarball *t = *state;
    struct tar_member m = plain(TAR_FILE, "hole");
    m.sparse = true;
    m.size = (uint64_t)64 << 30;
    encode(t, &m);
    check_field(t, 0, AT_SLOTS,
                bytes_make("\x80\0\0\0\0\0\0\x10\0\0\0\0"
                           "00000000000\0",
                           24));
    check_field(t, 0, AT_SLOTS + 24, bytes_make("\0", 2));
    check_field(t, 0, AT_EXTENDED, bytes_make("\0", 1));
    assert_int_equal(t->bytes.size, BLOCK);
    tarball_zeros(t, 2);
    tarball_open(t);
    const struct tar_member *got = tarball_next(t);
    assert_true(got->sparse);
    assert_int_equal(got->size, m.size);
    assert_int_equal(got->extent_count, 0);
}

/* More than 8 GiB of data: base 256 in the header, and no record of size, which readers would take
 * for the size of the file. */
static void a_large_sparse_file_has_no_record_of_size(void **state)
{
    struct tarball *t = *state;
    struct error err = {0};
    struct extent e = {1 << 20, (uint64_t)9 << 30};
    struct tar_member m = plain(TAR_FILE, "file");
    m.sparse = true;
    m.size = (uint64_t)10 << 30;
    m.extents = &e;
    m.extent_count = 1;
    check_done(tar_encode(&t->bytes, &m, &err));
    assert_int_equal(t->bytes.size, BLOCK);
    check_field(t, 0, AT_SIZE, bytes_make("\x80\0\0\0\0\0\0\x02\x40\0\0\0", 12));
}

static void add_xattr(struct tar_member *m, const char *name, struct bytes value)
{
    struct error err = {0};
    check_done(pairs_append(&m->meta.xattrs, bytes_of(name), value, &err));
    m->meta.known |= METADATA_XATTRS;
}

static void attributes_come_back(void **state)
{
    static const uint8_t acl[] = {2,    0,    0,    0,    1,    0,    6,    0,    0xff, 0xff, 0xff,
                                  0xff, 2,    0,    7,    0,    8,    0,    0,    0,    4,    0,
                                  4,    0,    0xff, 0xff, 0xff, 0xff, 0x10, 0,    7,    0,    0xff,
                                  0xff, 0xff, 0xff, 0x20, 0,    0,    0,    0xff, 0xff, 0xff, 0xff};
    struct tarball *t = *state;
    struct tar_member m = plain(TAR_FILE, "file");
    add_xattr(&m, "security.capability", bytes_make("\1\0\0\2\0\x20", 6));
    add_xattr(&m, "system.posix_acl_access", bytes_make(acl, sizeof acl));
    add_xattr(&m, "user.100%=\xff\n", bytes_of("=%25\n"));
    add_xattr(&m, "user.empty", bytes_of(""));
    encode(t, &m);
    check_field(t, 1, 0, bytes_make("43 SCHILY.xattr.security.capability=\1\0\0\2\0\x20\n", 43));
    assert_non_null(
        strstr((const char *)block(t, 1) + 43,
               "SCHILY.acl.access=user::rw-,user:8:rwx,group::r--,mask::rwx,other::---\n"));
    assert_non_null(
        strstr((const char *)block(t, 1) + 43, "SCHILY.xattr.user.100%25%3D\xff\n==%25\n\n"));
    tarball_zeros(t, 2);
    tarball_open(t);
    const struct tar_member *got = tarball_next(t);
    assert_true(pairs_equal(&got->meta.xattrs, &m.meta.xattrs));
    assert_true(got->meta.known & METADATA_ACL);
    pairs_release(&m.meta.xattrs);
}

/* The length of a record counts its own digits: all sums around a power of ten. */
static void records_of_every_length_come_back(void **state)
{
    char text[1200];
    (void)state;
    memset(text, 'c', sizeof text);
    for (size_t bytes = 1; bytes < sizeof text; bytes++) {
        struct tarball t;
        struct tar_member m = plain(TAR_FILE, "file");
        m.comment = bytes_make(text, bytes);
        tarball_init(&t);
        encode(&t, &m);
        tarball_zeros(&t, 2);
        tarball_open(&t);
        assert_int_equal(tarball_next(&t)->comment.size, bytes);
        tarball_ends(&t);
        tarball_release(&t);
    }
}

static void times_come_back(void **state)
{
    static const struct timestamp times[] = {
        {0, 0},
        {-1, 0},
        {-1, 1},
        {-1, 999999999},
        {1700000000, 123456789},
        {1, 500000000},
        {8589934591, 0},
        {8589934592, 0},
        {INT64_MAX, 999999999},
        {INT64_MIN, 0},
    };
    struct tarball *t = *state;
    size_t count = sizeof times / sizeof *times;
    for (size_t i = 0; i < count; i++) {
        struct tar_member m = plain(TAR_FIFO, "fifo");
        m.meta.mtime = times[i];
        encode(t, &m);
    }
    tarball_zeros(t, 2);
    tarball_open(t);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(timestamp_compare(tarball_next(t)->meta.mtime, times[i]), 0);
    tarball_ends(t);
}

static void what_cannot_be_said_is_an_error(void **state)
{
    struct tarball *t = *state;
    struct error err = {0};
    struct tar_member m = plain(TAR_OTHER, "other");
    check_kind(tar_encode(&t->bytes, &m, &err), ERROR_UNSUPPORTED);
    char *path = long_path(TAR_MAX_PATH_BYTES + 1, 200);
    m = plain(TAR_FILE, path);
    check_kind(tar_encode(&t->bytes, &m, &err), ERROR_LIMIT);
    m = plain(TAR_FILE, "file");
    m.size = UINT64_MAX;
    check_kind(tar_encode(&t->bytes, &m, &err), ERROR_LIMIT);
    m = plain(TAR_FILE, "file");
    add_xattr(&m, "system.posix_acl_access", bytes_of("no ACL"));
    check_kind(tar_encode(&t->bytes, &m, &err), ERROR_FORMAT);
    assert_int_equal(t->bytes.size, 0);
    pairs_release(&m.meta.xattrs);
    free(path);
}

static void the_end_fills_a_record(void **state)
{
    static const uint64_t sizes[] = {0, 512, 9216, 9728, 10240, 8192};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct buffer end = {0};
        struct error err = {0};
        check_done(tar_encode_end(&end, sizes[i], &err));
        assert_int_equal((sizes[i] + end.size) % 10240, 0);
        assert_in_range(end.size, 1024, 10240 + 512);
        buffer_release(&end);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_plain_member_is_one_block),
        TEST(names_of_every_length_come_back),
        TEST(where_a_name_stands_depends_on_its_length),
        TEST(long_texts_stand_in_gnu_headers),
        TEST(only_what_a_field_cannot_say_is_a_record),
        TEST(a_large_size_stands_in_field_and_record),
        TEST(a_sparse_header_holds_four_ranges),
        TEST(a_hole_at_the_end_is_an_empty_range),
        TEST(a_large_sparse_file_has_no_record_of_size),
        TEST(attributes_come_back),
        TEST(records_of_every_length_come_back),
        TEST(times_come_back),
        TEST(what_cannot_be_said_is_an_error),
        TEST(the_end_fills_a_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
