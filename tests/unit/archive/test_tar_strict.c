/*
 * The decoder against damaged and hostile archives: what is malformed is an error with its place,
 * never skipped; what concerns one member alone is named, and the next one is read.
 */
#include "archive/tar.h"

#include <stdlib.h>
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
    tarball_header(t, "next", '0', 0);
    tarball_zeros(t, 2);
    tarball_open(t);
}

/* The whole archive cannot be read further, and says so again. */
static void check_broken(struct tarball *t)
{
    finish(t);
    tarball_fails(t, ERROR_FORMAT);
    tarball_fails(t, ERROR_FORMAT);
}

/* The member is refused by name; the one behind it comes. */
static void check_passed_over(struct tarball *t, enum error_kind kind, const char *path)
{
    struct error err = {0};
    const struct tar_member *m = NULL;
    finish(t);
    assert_int_equal(tar_next(t->decoder, &m, &err), -1);
    assert_int_equal(err.kind, kind);
    check_text(bytes_make(err.path, err.path_bytes), path);
    error_release(&err);
    check_text(tarball_next(t)->path, "next");
    tarball_ends(t);
}

static void a_wrong_checksum_is_an_error(void **state)
{
    struct tarball *t = *state;
    size_t h = tarball_header(t, "file", '0', 0);
    t->bytes.data[h] ^= 1;
    check_broken(t);
}

static void a_wrong_checksum_in_the_middle_is_an_error(void **state)
{
    struct tarball *t = *state;
    tarball_header(t, "file", '0', 0);
    tarball_body(t, bytes_of("not announced"));
    finish(t);
    tarball_next(t);
    tarball_fails(t, ERROR_FORMAT);
}

static void a_lone_zero_block_is_an_error(void **state)
{
    struct tarball *t = *state;
    tarball_zeros(t, 1);
    check_broken(t);
}

static void every_cut_is_found(void **state)
{
    struct tarball *t = *state;
    tarball_record(t, "mtime=1.5");
    tarball_member(t, "file", '0', bytes_of("some data"));
    tarball_member(t, "././@LongLink", 'L', bytes_make("name", 5));
    tarball_header(t, "cut", '0', 0);
    tarball_zeros(t, 2);
    size_t whole = t->bytes.size;
    for (size_t size = 0; size < whole; size += 37) {
        struct error err = {0};
        const struct tar_member *m = NULL;
        int result;
        t->bytes.size = size;
        t->at = 0;
        tarball_open(t);
        while ((result = tar_next(t->decoder, &m, &err)) > 0)
            continue;
        assert_int_equal(result, -1);
        assert_int_equal(err.kind, ERROR_FORMAT);
        assert_non_null(strstr(err.detail, "cut short"));
        error_release(&err);
        tar_decoder_free(t->decoder);
        t->decoder = NULL;
    }
    t->bytes.size = whole;
}

static void a_cut_in_data_is_found_by_reading(void **state)
{
    struct tarball *t = *state;
    struct error err = {0};
    uint8_t bytes[100];
    size_t got = 0;
    tarball_header(t, "file", '0', 1000);
    tarball_open(t);
    tarball_next(t);
    check_kind(tar_read(t->decoder, bytes, sizeof bytes, &got, &err), ERROR_FORMAT);
    error_release(&err);
    tarball_fails(t, ERROR_FORMAT);
}

static void malformed_numbers_are_errors(void **state)
{
    static const struct {
        size_t offset;
        const char *bytes;
    } numbers[] = {
        {AT_SIZE, "0000000000x"},
        {AT_SIZE, "-0000000001"},
        {AT_SIZE, "00 00000000"},
        {AT_MODE, "0000648"},
        {AT_UID, "0x00000"},
        {AT_GID, "\xff\xff\xff\xff\xff\xff\xff\xff"},
        {AT_MTIME, "1e3"},
        {AT_SIZE, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"},
        {AT_SIZE, "\x80\1\1\1\1\1\1\1\1\1\1\1"},
        {AT_SIZE, "\xbf\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct tarball t;
        tarball_init(&t);
        size_t h = tarball_header(&t, "file", '0', 0);
        tarball_patch(&t, h, numbers[i].offset, bytes_of(numbers[i].bytes));
        check_broken(&t);
        tarball_release(&t);
    }
}

static void malformed_records_are_errors(void **state)
{
    static const char *const bodies[] = {
        "x",
        "10 path=a",
        "8 path=a\n",
        "11 path=a\n",
        " path=a\n",
        "0 path=a\n",
        "10path=a\n",
        "8 mtime\n",
        "5 =a\n",
        "3 \n",
        "99999999999999999999999 a=b\n",
        "6 a=b\n\n",
        "12 size=-1\n0",
        "11 mtime=x\n",
        "10 uid=1x\n",
        "29 size=18446744073709551615\n",
        "+10 path=a\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct tarball t;
        tarball_init(&t);
        tarball_member(&t, "PaxHeaders/x", 'x', bytes_of(bodies[i]));
        tarball_header(&t, "file", '0', 0);
        check_broken(&t);
        tarball_release(&t);
    }
}

static void two_extended_headers_are_an_error(void **state)
{
    struct tarball *t = *state;
    tarball_record(t, "mtime=1");
    tarball_record(t, "mtime=2");
    check_broken(t);
}

static void an_extended_header_needs_a_member(void **state)
{
    struct tarball *t = *state;
    tarball_record(t, "mtime=1");
    tarball_zeros(t, 2);
    tarball_open(t);
    tarball_fails(t, ERROR_FORMAT);
}

static void a_path_with_nul_is_refused(void **state)
{
    struct tarball *t = *state;
    struct bytes record = bytes_make("path=a\0b", 8);
    struct error err = {0};
    const struct tar_member *m = NULL;
    tarball_extended(t, 'x', &record, 1);
    tarball_member(t, "file", '0', bytes_of("data"));
    finish(t);
    assert_int_equal(tar_next(t->decoder, &m, &err), -1);
    assert_int_equal(err.kind, ERROR_REFUSED);
    assert_true(bytes_equal(bytes_make(err.path, err.path_bytes), bytes_make("a\0b", 3)));
    error_release(&err);
    check_text(tarball_next(t)->path, "next");
}

static void a_target_with_nul_is_refused(void **state)
{
    struct tarball *t = *state;
    struct bytes record = bytes_make("linkpath=a\0b", 12);
    tarball_extended(t, 'x', &record, 1);
    tarball_header(t, "link", '2', 0);
    check_passed_over(t, ERROR_REFUSED, "link");
}

static void a_long_name_with_nul_is_refused(void **state)
{
    struct tarball *t = *state;
    tarball_member(t, "././@LongLink", 'K', bytes_make("a\0b", 4));
    tarball_header(t, "link", '1', 0);
    check_passed_over(t, ERROR_REFUSED, "link");
}

static void an_empty_name_is_refused(void **state)
{
    tarball_member(*state, "", '0', bytes_of("data"));
    check_passed_over(*state, ERROR_REFUSED, "");
}

static void an_empty_target_is_refused(void **state)
{
    tarball_header(*state, "link", '2', 0);
    check_passed_over(*state, ERROR_REFUSED, "link");
}

static void an_attribute_name_with_nul_is_refused(void **state)
{
    struct tarball *t = *state;
    struct bytes record = bytes_make("SCHILY.xattr.a\0b=c", 18);
    tarball_extended(t, 'x', &record, 1);
    tarball_header(t, "file", '0', 0);
    check_passed_over(t, ERROR_REFUSED, "file");
}

static void old_names_records_are_refused(void **state)
{
    tarball_member(*state, "names", 'N', bytes_of("Rename a to b\n"));
    check_passed_over(*state, ERROR_REFUSED, "names");
}

static void a_further_volume_is_not_supported(void **state)
{
    tarball_header(*state, "file", 'M', 0);
    finish(*state);
    tarball_fails(*state, ERROR_UNSUPPORTED);
    tarball_fails(*state, ERROR_FORMAT);
}

static void a_path_over_the_limit_is_passed_over(void **state)
{
    struct tarball *t = *state;
    size_t bytes = TAR_MAX_PATH_BYTES + 2;
    uint8_t *name = malloc(bytes);
    assert_non_null(name);
    memset(name, 'n', bytes);
    tarball_member(t, "././@LongLink", 'L', bytes_make(name, bytes));
    tarball_member(t, "nnn", '0', bytes_of("data"));
    free(name);
    check_passed_over(t, ERROR_LIMIT, "nnn");
}

/* The size of the member stands in the header that is too large to keep: it must be found all the
 * same. */
static void an_extended_header_over_the_limit_is_passed_over(void **state)
{
    struct tarball *t = *state;
    size_t bytes = TAR_MAX_EXTENDED_BYTES;
    uint8_t *value = malloc(bytes);
    assert_non_null(value);
    memset(value, 'v', bytes);
    memcpy(value, "comment=", 8);
    struct bytes records[] = {bytes_of("mtime=1"), bytes_make(value, bytes), bytes_of("size=600")};
    tarball_extended(t, 'x', records, 3);
    tarball_header(t, "file", '0', 1);
    tarball_body(t, bytes_make(value, 600));
    free(value);
    check_passed_over(t, ERROR_LIMIT, "file");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_wrong_checksum_is_an_error),
        TEST(a_wrong_checksum_in_the_middle_is_an_error),
        TEST(a_lone_zero_block_is_an_error),
        TEST(every_cut_is_found),
        TEST(a_cut_in_data_is_found_by_reading),
        TEST(malformed_numbers_are_errors),
        TEST(malformed_records_are_errors),
        TEST(two_extended_headers_are_an_error),
        TEST(an_extended_header_needs_a_member),
        TEST(a_path_with_nul_is_refused),
        TEST(a_target_with_nul_is_refused),
        TEST(a_long_name_with_nul_is_refused),
        TEST(an_empty_name_is_refused),
        TEST(an_empty_target_is_refused),
        TEST(an_attribute_name_with_nul_is_refused),
        TEST(old_names_records_are_refused),
        TEST(a_further_volume_is_not_supported),
        TEST(a_path_over_the_limit_is_passed_over),
        TEST(an_extended_header_over_the_limit_is_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
