/*
 * The comment record: what is encoded comes back, unknown fields are passed over, malformed ones
 * are errors.
 */
#include "archive/record.h"

#include <stdlib.h>
#include <string.h>

#include "support/check.h"

static void check_texts(const char *got, const char *wanted)
{
    assert_string_equal(got, wanted);
}

static void a_member_comes_back(void **state)
{
    const struct member_record r = {
        .is_socket = true,
        .mode = 04755,
        .shared = true,
        .known = METADATA_FLAGS | METADATA_BTIME | METADATA_CTIME | METADATA_XATTRS,
        .unknown = METADATA_XATTRS | METADATA_ACL | METADATA_FLAGS,
        .flags = FILE_FLAG_IMMUTABLE | FILE_FLAG_TOPDIR,
        .btime = {-5, 999999999},
        .ctime = {INT64_MIN, 0},
        .link_count = UINT64_MAX,
    };
    struct buffer text = {0};
    struct record_memory memory = {0};
    struct member_record got;
    struct error err = {0};
    (void)state;
    check_done(record_encode(&text, &r, &err));
    assert_true(record_is_ours(buffer_bytes(&text)));
    check_done(record_decode(buffer_bytes(&text), &memory, &got, &err));
    assert_false(got.has_archive);
    assert_true(got.is_socket);
    assert_int_equal(got.mode, 04755);
    assert_true(got.shared);
    assert_int_equal(got.known, r.known);
    assert_int_equal(got.unknown, r.unknown);
    assert_int_equal(got.flags, r.flags);
    assert_int_equal(timestamp_compare(got.btime, r.btime), 0);
    assert_int_equal(timestamp_compare(got.ctime, r.ctime), 0);
    assert_int_equal(got.link_count, UINT64_MAX);
    record_memory_release(&memory);
    buffer_release(&text);
}

static void an_empty_record_says_nothing(void **state)
{
    struct buffer text = {0};
    struct record_memory memory = {0};
    struct member_record got;
    struct error err = {0};
    (void)state;
    check_done(record_encode(&text, &(struct member_record){0}, &err));
    check_text(buffer_bytes(&text), "holdfast:1:");
    check_done(record_decode(buffer_bytes(&text), &memory, &got, &err));
    assert_false(got.has_archive || got.is_socket || got.shared);
    assert_int_equal(got.known, 0);
    assert_int_equal(got.link_count, 0);
    record_memory_release(&memory);
    record_memory_release(NULL);
    buffer_release(&text);
}

static void an_archive_comes_back(void **state)
{
    static const struct root_fact roots[] = {
        {"home", "/home", "ext4", "0815"},
        {"new\nline", "/a/b\xff", "", ""},
        {"C", "C:\\", "ntfs", "disk"},
    };
    const struct member_record r = {
        .has_archive = true,
        .archive =
            {
                .version = 1,
                .program = "holdfast 0.1.0",
                .facts = {.roots = roots,
                          .root_count = 3,
                          .host_system = "linux",
                          .ordered = true,
                          .names_known = true},
                .options = bytes_make("exclude=*.o\nname=\0\n", 19),
            },
        .known = METADATA_XATTRS,
    };
    struct buffer text = {0};
    struct record_memory memory = {0};
    struct member_record got;
    struct error err = {0};
    (void)state;
    check_done(record_encode(&text, &r, &err));
    /* Twice into the same memory: the second time as the first. */
    for (int i = 0; i < 2; i++) {
        check_done(record_decode(buffer_bytes(&text), &memory, &got, &err));
        assert_true(got.has_archive);
        assert_int_equal(got.archive.version, 1);
        check_texts(got.archive.program, "holdfast 0.1.0");
        check_texts(got.archive.facts.host_system, "linux");
        assert_int_equal(got.archive.facts.root_count, 3);
        for (size_t k = 0; k < 3; k++) {
            check_texts(got.archive.facts.roots[k].name, roots[k].name);
            check_texts(got.archive.facts.roots[k].absolute_path, roots[k].absolute_path);
            check_texts(got.archive.facts.roots[k].file_system, roots[k].file_system);
            check_texts(got.archive.facts.roots[k].volume, roots[k].volume);
        }
        assert_true(got.archive.facts.ordered);
        assert_true(got.archive.facts.names_known);
        assert_false(got.archive.facts.complete_metadata);
        assert_false(got.archive.facts.sequential);
        assert_true(bytes_equal(got.archive.options, r.archive.options));
        assert_int_equal(got.known, METADATA_XATTRS);
    }
    record_memory_release(&memory);
    buffer_release(&text);
}

/* What is in one comes back out. */
static void reparse_points_and_ntfs_metadata_come_back(void **state)
{
    static const uint8_t raw[] = {0x1a, 0, 0, 0x90, 3, 0, 0, 0, 'a', 0, 'b'};
    struct pairs xattrs = {0};
    struct member_record r = {.is_reparse = true,
                              .kind = ENTRY_REPARSE,
                              .reparse = bytes_make(raw, sizeof raw),
                              .folder_flavour = true,
                              .mode = 0777,
                              .xattrs = &xattrs};
    struct buffer text = {0};
    struct record_memory memory = {0};
    struct member_record got;
    struct error err = {0};

    (void)state;
    check_done(pairs_append(&xattrs, bytes_of("system.ntfs_acl"), bytes_make("\0x", 2), &err));
    check_done(pairs_append(&xattrs, bytes_of("system.ntfs_attrib"), bytes_of("four"), &err));
    check_done(pairs_append(&xattrs, bytes_of("user.other"), bytes_of("not here"), &err));
    check_done(record_encode(&text, &r, &err));
    for (int i = 0; i < 2; i++) {
        check_done(record_decode(buffer_bytes(&text), &memory, &got, &err));
        assert_true(got.is_reparse && got.folder_flavour);
        assert_int_equal(got.kind, ENTRY_REPARSE);
        assert_int_equal(got.mode, 0777);
        assert_true(bytes_equal(got.reparse, r.reparse));
        assert_int_equal(got.xattrs->count, 2);
        assert_true(bytes_equal(pairs_name(got.xattrs, 0), pairs_name(&xattrs, 0)));
        assert_true(bytes_equal(pairs_value(got.xattrs, 0), pairs_value(&xattrs, 0)));
        check_text(pairs_value(got.xattrs, 1), "four");
    }
    record_memory_release(&memory);
    pairs_release(&xattrs);
    buffer_release(&text);
}

/* Fields that say what cannot be. */
static void malformed_reparse_points_are_refused(void **state)
{
    static const struct {
        const char *fields;
        size_t bytes;
    } cases[] = {
        {"\x18\x03\x07\x00\x00", 5},       /* no buffer */
        {"\x18\x04\x01\x00\x00x", 6},      /* a file */
        {"\x18\x04\x0a\x00\x00x", 6},      /* no kind */
        {"\x18\x04\x07\x02\x00x", 6},      /* a flag that is not known */
        {"\x18\x02\x07\x00", 4},           /* cut */
        {"\x19\x02\x00\x00", 4},           /* no name */
        {"\x19\x06\x01x\x00\x01x\x00", 8}, /* twice */
        {"\x19\x06\x01y\x00\x01x\x00", 8}, /* out of order */
        {"\x19\x03\x01\x00\x00", 5},       /* a NUL */
    };
    struct record_memory memory = {0};
    struct member_record got;
    struct buffer text = {0};
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buffer_clear(&text);
        check_done(buffer_append(&text, "holdfast:1:", 11, &err));
        check_done(text_base64_encode(&text, bytes_make(cases[i].fields, cases[i].bytes), &err));
        check_kind(record_decode(buffer_bytes(&text), &memory, &got, &err), ERROR_FORMAT);
    }
    record_memory_release(&memory);
    buffer_release(&text);
}

static void a_record_has_a_limit(void **state)
{
    struct member_record r = {.has_archive = true,
                              .archive = {.program = "", .facts = {.host_system = ""}}};
    struct buffer text = {0};
    struct error err = {0};
    size_t bytes = 900000;
    void *options = calloc(1, bytes);
    (void)state;
    assert_non_null(options);
    r.archive.options = bytes_make(options, bytes);
    check_kind(record_encode(&text, &r, &err), ERROR_LIMIT);
    assert_int_equal(text.size, 0);
    r.archive.options.size = 670000;
    check_done(record_encode(&text, &r, &err));
    assert_true(text.size < 900 * 1000);
    free(options);
    buffer_release(&text);
}

/* Decodes fields that are given as bytes. */
static int decode_fields(struct bytes fields, struct member_record *out, struct error *err)
{
    static struct record_memory memory;
    struct buffer text = {0};
    struct error ignored = {0};
    int result = -1;
    record_memory_release(&memory);
    if (buffer_append(&text, "holdfast:1:", 11, &ignored) == 0 &&
        text_base64_encode(&text, fields, &ignored) == 0)
        result = record_decode(buffer_bytes(&text), &memory, out, err);
    record_memory_release(&memory);
    buffer_release(&text);
    return result;
}

static void unknown_fields_are_passed_over(void **state)
{
    struct member_record got;
    struct error err = {0};
    (void)state;
    check_done(decode_fields(bytes_make("\x0f\2ab\x3f\0\x11\0\xff\7\1c", 12), &got, &err));
    assert_true(got.shared);
}

static void malformed_fields_are_errors(void **state)
{
    static const struct {
        const char *bytes;
        size_t count;
    } fields[] = {
        {"\x11", 1},                       /* no length */
        {"\x11\1", 2},                     /* no value */
        {"\x11\1x", 3},                    /* a value where none belongs */
        {"\x11\0\x11\0", 4},               /* twice */
        {"\x10\2\x80\x20", 4},             /* a mode of 010000 */
        {"\x10\0", 2},                     /* no number */
        {"\x12\2\1\1", 4},                 /* two numbers */
        {"\x13\5\xff\xff\xff\xff\x1f", 7}, /* flags of more than 32 bits */
        {"\x14\1\0", 3},                   /* a time without nanoseconds */
        {"\x14\6\0\x80\x94\xeb\xdc\3", 8}, /* a billion of them */
        {"\2\1a", 3},                      /* text without its NUL */
        {"\2\2\0\0", 4},                   /* text with two */
        {"\4\3\0\0\0", 5},                 /* a root of three texts */
        {"\6\1\x80", 3},                   /* a number that does not end */
    };
    struct member_record got;
    (void)state;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        struct error err = {0};
        check_kind(decode_fields(bytes_make(fields[i].bytes, fields[i].count), &got, &err),
                   ERROR_FORMAT);
    }
}

static void other_comments_are_not_ours(void **state)
{
    struct record_memory memory = {0};
    struct member_record got;
    struct error err = {0};
    (void)state;
    assert_false(record_is_ours(bytes_of("")));
    assert_false(record_is_ours(bytes_of("holdfas")));
    assert_false(record_is_ours(bytes_of("a comment")));
    assert_true(record_is_ours(bytes_of("holdfast:2:")));
    check_kind(record_decode(bytes_of("a comment"), &memory, &got, &err), ERROR_FORMAT);
    check_kind(record_decode(bytes_of("holdfast:2:AAAA"), &memory, &got, &err), ERROR_UNSUPPORTED);
    check_kind(record_decode(bytes_of("holdfast:1:AAA"), &memory, &got, &err), ERROR_FORMAT);
    check_kind(record_decode(bytes_of("holdfast:1:EQA=\n"), &memory, &got, &err), ERROR_FORMAT);
    record_memory_release(&memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_comes_back),
        cmocka_unit_test(an_empty_record_says_nothing),
        cmocka_unit_test(an_archive_comes_back),
        cmocka_unit_test(reparse_points_and_ntfs_metadata_come_back),
        cmocka_unit_test(malformed_reparse_points_are_refused),
        cmocka_unit_test(a_record_has_a_limit),
        cmocka_unit_test(unknown_fields_are_passed_over),
        cmocka_unit_test(malformed_fields_are_errors),
        cmocka_unit_test(other_comments_are_not_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
