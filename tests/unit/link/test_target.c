/*
 * The text of links: forms by both systems' rules, and where relative ones lead by their words.
 */
#include "link/target.h"

#include "support/check.h"

static void posix_knows_two_forms(void **state)
{
    static const struct {
        const char *text;
        enum target_form form;
    } cases[] = {
        {"", TARGET_RELATIVE},
        {"a", TARGET_RELATIVE},
        {"../a", TARGET_RELATIVE},
        {"/", TARGET_POSIX_ABSOLUTE},
        {"//a", TARGET_POSIX_ABSOLUTE},
        {"C:\\x", TARGET_RELATIVE},
        {"\\\\server\\share", TARGET_RELATIVE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(target_form(bytes_of(cases[i].text), TARGET_RULES_POSIX), cases[i].form);
}

static void windows_knows_more(void **state)
{
    static const struct {
        const char *text;
        enum target_form form;
    } cases[] = {
        {"", TARGET_RELATIVE},
        {"a\\b", TARGET_RELATIVE},
        {"..\\a", TARGET_RELATIVE},
        {"C:\\x", TARGET_DRIVE_ABSOLUTE},
        {"c:/x", TARGET_DRIVE_ABSOLUTE},
        {"C:x", TARGET_DRIVE_RELATIVE},
        {"C:", TARGET_DRIVE_RELATIVE},
        {"\\x", TARGET_DRIVE_RELATIVE},
        {"/x", TARGET_DRIVE_RELATIVE},
        {"1:\\x", TARGET_RELATIVE},
        {"\\\\server\\share\\x", TARGET_UNC},
        {"\\\\?\\Volume{01234567-89ab-cdef-0123-456789abcdef}\\", TARGET_VOLUME},
        {"\\\\?\\volume{x}\\", TARGET_VOLUME},
        {"\\??\\C:\\x", TARGET_NT},
        {"\\??\\Volume{x}\\", TARGET_NT},
        {"\\\\?\\C:\\x", TARGET_NT},
        {"\\\\.\\pipe\\x", TARGET_NT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(target_form(bytes_of(cases[i].text), TARGET_RULES_WINDOWS), cases[i].form);
}

static void forms_and_states_have_names(void **state)
{
    (void)state;
    assert_string_equal(target_form_name(TARGET_RELATIVE), "relative");
    assert_string_equal(target_form_name(TARGET_POSIX_ABSOLUTE), "absolute");
    assert_string_equal(target_form_name(TARGET_NT), "nt");
    assert_string_equal(target_state_name(TARGET_INSIDE), "inside");
    assert_string_equal(target_state_name(TARGET_LOOPING), "looping");
    assert_string_equal(target_state_name(TARGET_UNKNOWN), "unknown");
}

static void relative_targets_lead_where_their_words_say(void **state)
{
    static const struct {
        const char *folder, *target, *path; /* NULL: out of the tree */
    } cases[] = {
        {"", "a", "a"},
        {"", "a/b", "a/b"},
        {"d", "a", "d/a"},
        {"d/e", "../a", "d/a"},
        {"d/e", "../../a", "a"},
        {"d/e", "../..", ""},
        {"d/e", "../../..", NULL},
        {"d", "../../d/a", NULL},
        {"", "..", NULL},
        {"", ".", ""},
        {"d", "", "d"},
        {"d", "./a//b/.", "d/a/b"},
        {"d", "a/../b/", "d/b"},
        {"d", "...", "d/..."},
        {"d", ".a/..b", "d/.a/..b"},
        {"d", "/a", NULL},
    };
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer out = {0};
        check_done(buffer_append(&out, "before", 6, &err));
        int result = check_done(
            target_resolve(bytes_of(cases[i].folder), bytes_of(cases[i].target), &out, &err));
        assert_int_equal(result, cases[i].path != NULL);
        check_text(bytes_make(out.data + 6, out.size - 6), cases[i].path ? cases[i].path : "");
        buffer_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(posix_knows_two_forms),
        cmocka_unit_test(windows_knows_more),
        cmocka_unit_test(forms_and_states_have_names),
        cmocka_unit_test(relative_targets_lead_where_their_words_say),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
