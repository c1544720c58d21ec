/*
 * Reparse tags: names, classes, and the user's wishes.
 */
#include "link/reparse_tag.h"

#include <string.h>

#include "support/check.h"

static void tags_have_names_and_classes(void **state)
{
    static const struct {
        uint32_t tag;
        const char *name;
        enum reparse_class class;
        bool surrogate;
    } cases[] = {
        {0xA0000003, "junction", REPARSE_CLASS_LINK, true},
        {0xA000000C, "symlink", REPARSE_CLASS_LINK, true},
        {0xA000001D, "lx-symlink", REPARSE_CLASS_LINK, true},
        {0x8000001B, "app-exec-link", REPARSE_CLASS_KEPT, false},
        {0x80000017, "wof", REPARSE_CLASS_DATA, false},
        {0x80000013, "dedup", REPARSE_CLASS_DATA, false},
        {0x9000001A, "cloud", REPARSE_CLASS_NEVER, false},
        {0x9000601A, "cloud", REPARSE_CLASS_NEVER, false},
        {0x9000F01A, "cloud", REPARSE_CLASS_NEVER, false},
        {0x9001001A, NULL, REPARSE_CLASS_KEPT, false},
        {0xA000001A, NULL, REPARSE_CLASS_KEPT, true},
        {0xC0000004, "hsm", REPARSE_CLASS_NEVER, false},
        {0xC0000014, NULL, REPARSE_CLASS_NEVER, false},
        {0x00000042, NULL, REPARSE_CLASS_KEPT, false},
        {0x20000042, NULL, REPARSE_CLASS_KEPT, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *name = reparse_tag_name(cases[i].tag);

        if (cases[i].name)
            assert_string_equal(name, cases[i].name);
        else
            assert_null(name);
        assert_int_equal(reparse_tag_class(cases[i].tag), cases[i].class);
        assert_int_equal(reparse_tag_is_surrogate(cases[i].tag), cases[i].surrogate);
        assert_int_equal(reparse_tag_is_microsoft(cases[i].tag), cases[i].tag >> 31);
    }
}

static void the_last_wish_counts(void **state)
{
    struct reparse_policies p = {0};
    struct error err = {0};

    (void)state;
    assert_int_equal(reparse_policy_of(&p, 0x9000001A), REPARSE_RAW);
    check_done(reparse_policies_add(&p, bytes_of("cloud=skip"), &err));
    check_done(reparse_policies_add(&p, bytes_of("0x9000601a=refuse"), &err));
    check_done(reparse_policies_add(&p, bytes_of("wof=data"), &err));
    check_done(reparse_policies_add(&p, bytes_of("0X42=data"), &err));
    check_done(reparse_policies_add(&p, bytes_of("symlink=raw"), &err));
    check_done(reparse_policies_add(&p, bytes_of("hsm=skip"), &err));
    assert_int_equal(reparse_policy_of(&p, 0x9000001A), REPARSE_SKIP);
    assert_int_equal(reparse_policy_of(&p, 0x9000501A), REPARSE_SKIP);
    assert_int_equal(reparse_policy_of(&p, 0x9000601A), REPARSE_REFUSE);
    assert_int_equal(reparse_policy_of(&p, 0x80000017), REPARSE_DATA);
    assert_int_equal(reparse_policy_of(&p, 0x42), REPARSE_DATA);
    assert_int_equal(reparse_policy_of(&p, 0xA000000C), REPARSE_RAW);
    assert_int_equal(reparse_policy_of(&p, 0xC0000004), REPARSE_SKIP);
    assert_int_equal(reparse_policy_of(&p, 0x80000006), REPARSE_SKIP);
    check_done(reparse_policies_add(&p, bytes_of("wof=raw"), &err));
    assert_int_equal(reparse_policy_of(&p, 0x80000017), REPARSE_RAW);
}

static void wrong_wishes_are_refused(void **state)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "expected TAG=raw, data, skip or refuse"},
        {"cloud", "expected TAG=raw, data, skip or refuse"},
        {"cloud=", "a policy is raw, data, skip or refuse"},
        {"cloud=keep", "a policy is raw, data, skip or refuse"},
        {"cloud=RAW", "a policy is raw, data, skip or refuse"},
        {"=raw", "not a tag: a name such as symlink, junction, cloud, wof, dedup, or 0x..."},
        {"clouds=raw", "not a tag: a name such as symlink, junction, cloud, wof, dedup, or 0x..."},
        {"0x=raw", "not a tag: a name such as symlink, junction, cloud, wof, dedup, or 0x..."},
        {"0xg=raw", "not a tag: a name such as symlink, junction, cloud, wof, dedup, or 0x..."},
        {"0x123456789=raw",
         "not a tag: a name such as symlink, junction, cloud, wof, dedup, or 0x..."},
        {"a0000003=raw",
         "not a tag: a name such as symlink, junction, cloud, wof, dedup, or 0x..."},
        {"cloud=data", "reading a placeholder would fetch its data"},
        {"0x9000301A=data", "reading a placeholder would fetch its data"},
        {"0xc0000077=data", "reading a placeholder would fetch its data"},
        {"junction=data", "the data of a link is what it leads to"},
        {"0xA0000027=data", "the data of a link is what it leads to"},
    };
    struct reparse_policies p = {0};
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(reparse_policies_add(&p, bytes_of(cases[i].text), &err), -1);
        assert_string_equal(err.detail, cases[i].why);
        check_kind(-1, ERROR_USAGE);
    }
    assert_int_equal(p.count, 0);
    for (size_t i = 0; i < REPARSE_WISHES; i++)
        check_done(reparse_policies_add(&p, bytes_of("0x42=skip"), &err));
    check_kind(reparse_policies_add(&p, bytes_of("0x42=skip"), &err), ERROR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags_have_names_and_classes),
        cmocka_unit_test(the_last_wish_counts),
        cmocka_unit_test(wrong_wishes_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
