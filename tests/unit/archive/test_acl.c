/*
 * ACLs between the kernel's form and text: exact both ways for what we write, and lenient where
 * other programs write differently.
 */
#include "archive/acl.h"

#include <string.h>

#include "support/check.h"

/* user::rw- user:1000:r-x group::r-- group:4294967294:-w- mask::rwx other::--- */
static const uint8_t full[] = {
    2,    0, 0, 0,                         /* version */
    1,    0, 6, 0, 0xff, 0xff, 0xff, 0xff, /* user */
    2,    0, 5, 0, 0xe8, 0x03, 0,    0,    /* user 1000 */
    4,    0, 4, 0, 0xff, 0xff, 0xff, 0xff, /* group */
    8,    0, 2, 0, 0xfe, 0xff, 0xff, 0xff, /* group 4294967294 */
    0x10, 0, 7, 0, 0xff, 0xff, 0xff, 0xff, /* mask */
    0x20, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, /* other */
};
static const char full_text[] =
    "user::rw-,user:1000:r-x,group::r--,group:4294967294:-w-,mask::rwx,other::---";

static void check_parse(const char *text, const void *binary, size_t bytes)
{
    struct buffer out = {0};
    struct error err = {0};
    check_done(acl_from_text(&out, bytes_of(text), &err));
    assert_int_equal(out.size, bytes);
    assert_memory_equal(out.data, binary, bytes);
    buffer_release(&out);
}

static void check_bad(const char *text, enum error_kind kind)
{
    struct buffer out = {0};
    struct error err = {0};
    check_kind(acl_from_text(&out, bytes_of(text), &err), kind);
    assert_int_equal(out.size, 0);
    buffer_release(&out);
}

static void text_is_exact(void **state)
{
    struct buffer out = {0};
    struct error err = {0};
    (void)state;
    check_done(acl_to_text(&out, bytes_make(full, sizeof full), &err));
    check_text(buffer_bytes(&out), full_text);
    buffer_release(&out);
    check_parse(full_text, full, sizeof full);
}

static void other_spellings_mean_the_same(void **state)
{
    static const char *const texts[] = {
        "user::rw-\nuser:1000:r-x\ngroup::r--\ngroup:4294967294:-w-\nmask::rwx\nother::---\n",
        "u::rw-,u:1000:r-x,g::r--,g:4294967294:-w-,m::rwx,o::---",
        "other::---,mask::rwx,group:4294967294:-w-,group::r--,user:1000:r-x,user::rw-",
        "user::rw-,user:ann:r-x:1000,group::r--,group:staff:-w-:4294967294,mask::rwx,other::---",
        "default:user::rw-,default:user:1000:r-x,default:group::r--,d:group:4294967294:-w-,d:mask::"
        "rwx,default:other::---",
        "# file: a\n# owner: b\nuser::rw\nuser:1000:rx\t#effective:r-x\n\ngroup:: r "
        "\ngroup:4294967294:w\nmask:rwx\nother:-\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        check_parse(texts[i], full, sizeof full);
}

/* The kernel keeps the order that was given within a tag: so does the text. */
static void entries_of_one_tag_keep_their_order(void **state)
{
    static const char text[] = "user::rw-,user:9:r--,user:3:r--,group::r--,mask::rwx,other::---";
    struct buffer binary = {0};
    struct buffer out = {0};
    struct error err = {0};
    (void)state;
    check_done(acl_from_text(&binary, bytes_of(text), &err));
    check_done(acl_to_text(&out, buffer_bytes(&binary), &err));
    check_text(buffer_bytes(&out), text);
    buffer_release(&binary);
    buffer_release(&out);
}

static void names_need_numbers(void **state)
{
    (void)state;
    check_bad("user::rw-,user:ann:r-x,group::r--,mask::rwx,other::---", ERROR_UNSUPPORTED);
    check_bad("user::rw-,user:4294967295:r-x,group::r--,mask::rwx,other::---", ERROR_UNSUPPORTED);
}

static void malformed_text_is_an_error(void **state)
{
    static const char *const texts[] = {
        "",
        "user::rw-",
        "user::rw-,group::r--",
        "user::rw-,user::rw-,group::r--,other::---",
        "user::rw-,group::r--,other::---,other::r--",
        "user::rw-,group::r--,other::rwz",
        "user::rw-,group::r--,other::",
        "user::rw-,group::r--,other",
        "user:rw-,group::r--,other::---",
        "somebody::rw-,group::r--,other::---",
        "user::rw-:1:2,group::r--,other::---",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        check_bad(texts[i], ERROR_FORMAT);
}

static void malformed_binary_is_an_error(void **state)
{
    struct buffer out = {0};
    struct error err = {0};
    uint8_t wrong[sizeof full];
    (void)state;
    check_kind(acl_to_text(&out, bytes_make(full, 3), &err), ERROR_FORMAT);
    check_kind(acl_to_text(&out, bytes_make(full, sizeof full - 1), &err), ERROR_FORMAT);
    check_kind(acl_to_text(&out, bytes_make(NULL, 0), &err), ERROR_FORMAT);
    memcpy(wrong, full, sizeof full);
    wrong[0] = 1;
    check_kind(acl_to_text(&out, bytes_make(wrong, sizeof wrong), &err), ERROR_FORMAT);
    memcpy(wrong, full, sizeof full);
    wrong[4] = 3;
    check_kind(acl_to_text(&out, bytes_make(wrong, sizeof wrong), &err), ERROR_FORMAT);
    buffer_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_exact),
        cmocka_unit_test(other_spellings_mean_the_same),
        cmocka_unit_test(entries_of_one_tag_keep_their_order),
        cmocka_unit_test(names_need_numbers),
        cmocka_unit_test(malformed_text_is_an_error),
        cmocka_unit_test(malformed_binary_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
