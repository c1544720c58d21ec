/*
 * The decoder over the dialects: v7, ustar and GNU headers, what numbers and names look like in
 * them, and which headers have data behind them.
 */
#include "archive/tar.h"

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

static void a_ustar_header_says_all_its_fields(void **state)
{
    struct tarball *t = *state;
    size_t h = tarball_header(t, "dir/file", '0', 5);
    tarball_patch(t, h, AT_MODE, bytes_make("0104751", 8));
    tarball_patch(t, h, AT_UID, bytes_make("0001750", 8));
    tarball_patch(t, h, AT_GID, bytes_make("  144 \0", 8));
    tarball_patch(t, h, AT_MTIME, bytes_make("14525512400 ", 12));
    tarball_patch(t, h, AT_UNAME, bytes_of("ann"));
    tarball_patch(t, h, AT_GNAME, bytes_of("staff"));
    tarball_patch(t, h, AT_PREFIX, bytes_of("pre/fix"));
    tarball_body(t, bytes_of("hello"));
    finish(t);
    const struct tar_member *m = tarball_next(t);
    assert_int_equal(m->type, TAR_FILE);
    check_text(m->path, "pre/fix/dir/file");
    assert_int_equal(m->size, 5);
    assert_false(m->sparse);
    assert_int_equal(m->meta.mode, 04751);
    assert_int_equal(m->meta.owner, 1000);
    assert_int_equal(m->meta.group, 100);
    assert_int_equal(m->meta.mtime.seconds, 014525512400);
    assert_int_equal(m->meta.mtime.nanoseconds, 0);
    assert_string_equal(m->meta.owner_name, "ann");
    assert_string_equal(m->meta.group_name, "staff");
    assert_int_equal(m->meta.known,
                     METADATA_MODE | METADATA_OWNER | METADATA_GROUP | METADATA_MTIME);
    tarball_has_data(t, bytes_of("hello"));
    tarball_ends(t);
    tarball_ends(t);
}

static void types_become_kinds(void **state)
{
    static const struct {
        char flag;
        enum tar_type type;
    } types[] = {
        {'0', TAR_FILE},    {'7', TAR_FILE},        {0, TAR_FILE},           {'1', TAR_HARD_LINK},
        {'2', TAR_SYMLINK}, {'3', TAR_CHAR_DEVICE}, {'4', TAR_BLOCK_DEVICE}, {'5', TAR_DIRECTORY},
        {'6', TAR_FIFO},    {'D', TAR_DIRECTORY},   {'Q', TAR_OTHER},        {'~', TAR_OTHER},
    };
    struct tarball *t = *state;
    size_t count = sizeof types / sizeof *types;
    for (size_t i = 0; i < count; i++)
        tarball_patch(t, tarball_header(t, "name", types[i].flag, 0), AT_LINK, bytes_of("target"));
    finish(t);
    for (size_t i = 0; i < count; i++) {
        const struct tar_member *m = tarball_next(t);
        bool is_link = m->type == TAR_HARD_LINK || m->type == TAR_SYMLINK;
        assert_int_equal(m->type, types[i].type);
        assert_int_equal(m->type_flag, types[i].flag);
        check_text(m->link, is_link ? "target" : "");
    }
    tarball_ends(t);
}

static void v7_says_folders_by_a_slash(void **state)
{
    struct tarball *t = *state;
    size_t h = tarball_header(t, "dir//", 0, 0);
    tarball_patch(t, h, AT_UNAME, bytes_of("nobody"));
    tarball_patch(t, h, AT_PREFIX, bytes_of("prefix"));
    tarball_make_v7(t, h);
    tarball_header(t, "/", '5', 0);
    finish(t);
    const struct tar_member *m = tarball_next(t);
    assert_int_equal(m->type, TAR_DIRECTORY);
    check_text(m->path, "dir");
    assert_null(m->meta.owner_name);
    check_text(tarball_next(t)->path, "/");
    tarball_ends(t);
}

static void gnu_magic_has_no_prefix(void **state)
{
    struct tarball *t = *state;
    size_t h = tarball_header(t, "file", '0', 0);
    tarball_patch(t, h, AT_PREFIX, bytes_of("00000000001"));
    tarball_make_gnu(t, h);
    finish(t);
    check_text(tarball_next(t)->path, "file");
}

static void names_may_fill_their_fields(void **state)
{
    struct tarball *t = *state;
    char name[101], prefix[156];
    memset(name, 'n', 100);
    memset(prefix, 'p', 155);
    name[100] = prefix[155] = 0;
    size_t h = tarball_header(t, name, '2', 0);
    tarball_patch(t, h, AT_PREFIX, bytes_make(prefix, 155));
    tarball_patch(t, h, AT_LINK, bytes_make(name, 100));
    finish(t);
    const struct tar_member *m = tarball_next(t);
    assert_int_equal(m->path.size, 256);
    assert_int_equal(m->path.data[155], '/');
    check_text(m->link, name);
}

static void long_names_come_before_their_member(void **state)
{
    struct tarball *t = *state;
    char path[301], target[401];
    memset(path, 'p', 300);
    memset(target, 't', 400);
    path[300] = target[400] = 0;
    tarball_member(t, "././@LongLink", 'L', bytes_make("forgotten", 10));
    tarball_member(t, "././@LongLink", 'K', bytes_make(target, 401));
    tarball_member(t, "././@LongLink", 'L', bytes_make(path, 301));
    tarball_header(t, "cut", '2', 0);
    tarball_header(t, "short", '0', 0);
    finish(t);
    const struct tar_member *m = tarball_next(t);
    check_text(m->path, path);
    check_text(m->link, target);
    check_text(tarball_next(t)->path, "short");
    tarball_ends(t);
}

static void numbers_may_be_base_256(void **state)
{
    struct tarball *t = *state;
    size_t h = tarball_header(t, "device", '4', 0);
    tarball_patch(t, h, AT_UID, bytes_make("\x80\0\0\0\xee\x6b\x28\0", 8));
    tarball_patch(t, h, AT_MTIME,
                  bytes_make("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe", 12));
    tarball_patch(t, h, AT_MAJOR, bytes_make("\x80\0\0\0\xff\xff\xff\xff", 8));
    tarball_patch(t, h, AT_MINOR, bytes_make("0000017", 8));
    h = tarball_header(t, "link", '2', 0);
    tarball_patch(t, h, AT_LINK, bytes_of("x"));
    tarball_patch(t, h, AT_MTIME, bytes_make("\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", 12));
    finish(t);
    const struct tar_member *m = tarball_next(t);
    assert_int_equal(m->meta.owner, 4000000000u);
    assert_int_equal(m->meta.mtime.seconds, -2);
    assert_int_equal(m->device_major, UINT32_MAX);
    assert_int_equal(m->device_minor, 15);
    assert_int_equal(tarball_next(t)->meta.mtime.seconds, INT64_MAX);
}

static void blank_numbers_are_zero(void **state)
{
    struct tarball *t = *state;
    size_t h = tarball_header(t, "file", '0', 0);
    tarball_patch(t, h, AT_UID, bytes_of("        "));
    tarball_patch(t, h, AT_GID, bytes_make("\0\0\0\0\0\0\0", 8));
    tarball_patch(t, h, AT_SIZE, bytes_of("000000000000"));
    finish(t);
    assert_int_equal(tarball_next(t)->meta.owner, 0);
}

static void a_signed_checksum_is_right_as_well(void **state)
{
    struct tarball *t = *state;
    size_t h = tarball_header(t, "\xe4\xf6", '0', 0);
    uint8_t *block = t->bytes.data + h;
    int sum = 0;
    memset(block + AT_CHECKSUM, ' ', 8);
    for (size_t i = 0; i < 512; i++)
        sum += (int8_t)block[i];
    for (size_t i = 6; i-- > 0; sum >>= 3)
        block[AT_CHECKSUM + i] = (uint8_t)('0' + (sum & 7));
    finish(t);
    check_text(tarball_next(t)->path, "\xe4\xf6");
    assert_true(tar_is_header(t->bytes.data + h));
    assert_false(tar_is_header(t->bytes.data + 512));
}

static void volume_labels_are_passed_over(void **state)
{
    struct tarball *t = *state;
    tarball_header(t, "label", 'V', 0);
    tarball_header(t, "file", '0', 0);
    finish(t);
    check_text(tarball_next(t)->path, "file");
    tarball_ends(t);
}

static void data_is_skipped_if_it_is_not_read(void **state)
{
    struct tarball *t = *state;
    static uint8_t data[40000];
    uint8_t part[7];
    size_t got = 0;
    struct bytes some;
    struct error err = {0};
    memset(data, 'd', sizeof data);
    tarball_member(t, "a", '0', bytes_make(data, sizeof data));
    tarball_member(t, "b", '~', bytes_of("of an unknown type"));
    tarball_member(t, "c", 'D', bytes_make("Yfile\0\0", 7));
    tarball_member(t, "d", '0', bytes_make(data, 512));
    finish(t);
    tarball_next(t);
    check_done(tar_read(t->decoder, part, sizeof part, &got, &err));
    assert_int_equal(got, 7);
    check_text(tarball_next(t)->path, "b");
    tarball_has_data(t, bytes_of("of an unknown type"));
    check_text(tarball_next(t)->path, "c");
    assert_int_equal(tarball_next(t)->size, 512);
    check_done(tar_take(t->decoder, 12, &some, &err));
    assert_true(bytes_equal(some, bytes_make(data, 12)));
    tarball_has_data(t, bytes_make(data, 500));
    check_done(tar_take(t->decoder, 12, &some, &err));
    assert_int_equal(some.size, 0);
    assert_int_equal(tar_position(t->decoder), t->bytes.size - 1024);
    tarball_ends(t);
    assert_int_equal(tar_position(t->decoder), t->bytes.size);
}

/* A size in the header of a link or a folder: some writers let data follow, some do not. */
static void a_doubtful_size_is_settled_by_the_next_block(void **state)
{
    struct tarball *t = *state;
    size_t h = tarball_header(t, "hard", '1', 4);
    tarball_patch(t, h, AT_LINK, bytes_of("first"));
    tarball_header(t, "folder/", '5', 512);
    tarball_body(t, bytes_of("data of a folder"));
    h = tarball_header(t, "linked", '1', 4);
    tarball_patch(t, h, AT_LINK, bytes_of("first"));
    tarball_body(t, bytes_of("data"));
    tarball_header(t, "last", '6', 9);
    finish(t);
    check_text(tarball_next(t)->path, "hard");
    tarball_has_data(t, bytes_of(""));
    assert_int_equal(tar_position(t->decoder), 512);
    check_text(tarball_next(t)->path, "folder");
    check_text(tarball_next(t)->path, "linked");
    tarball_has_data(t, bytes_of("data"));
    check_text(tarball_next(t)->path, "last");
    tarball_ends(t);
}

static void a_pax_hard_link_has_data_that_may_look_like_a_header(void **state)
{
    struct tarball *t = *state;
    struct tarball inner;
    tarball_init(&inner);
    tarball_header(&inner, "inner", '0', 0);
    tarball_record(t, "mtime=1");
    size_t h = tarball_header(t, "hard", '1', 512);
    tarball_patch(t, h, AT_LINK, bytes_of("first"));
    tarball_body(t, buffer_bytes(&inner.bytes));
    finish(t);
    tarball_next(t);
    tarball_has_data(t, buffer_bytes(&inner.bytes));
    tarball_ends(t);
    tarball_release(&inner);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_ustar_header_says_all_its_fields),
        TEST(types_become_kinds),
        TEST(v7_says_folders_by_a_slash),
        TEST(gnu_magic_has_no_prefix),
        TEST(names_may_fill_their_fields),
        TEST(long_names_come_before_their_member),
        TEST(numbers_may_be_base_256),
        TEST(blank_numbers_are_zero),
        TEST(a_signed_checksum_is_right_as_well),
        TEST(volume_labels_are_passed_over),
        TEST(data_is_skipped_if_it_is_not_read),
        TEST(a_doubtful_size_is_settled_by_the_next_block),
        TEST(a_pax_hard_link_has_data_that_may_look_like_a_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
