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

#define GUID "01234567-89ab-cdef-0123-456789abcdef"

/* What Windows' rules make of a text: the rest is as it stands there. */
static const struct {
    const char *text;
    enum target_rules rules;
    enum target_form form;
    enum target_prefix prefix;
    const char *root, *rest;
} parts[] = {
    {"", TARGET_RULES_WINDOWS, TARGET_RELATIVE, TARGET_PLAIN, "", ""},
    {"a\\b", TARGET_RULES_WINDOWS, TARGET_RELATIVE, TARGET_PLAIN, "", "a\\b"},
    {"..\\a", TARGET_RULES_WINDOWS, TARGET_RELATIVE, TARGET_PLAIN, "", "..\\a"},
    {"C:\\x", TARGET_RULES_WINDOWS, TARGET_DRIVE_ABSOLUTE, TARGET_PLAIN, "C:", "\\x"},
    {"c:/x", TARGET_RULES_WINDOWS, TARGET_DRIVE_ABSOLUTE, TARGET_PLAIN, "c:", "/x"},
    {"C:\\", TARGET_RULES_WINDOWS, TARGET_DRIVE_ABSOLUTE, TARGET_PLAIN, "C:", "\\"},
    {"C:x", TARGET_RULES_WINDOWS, TARGET_DRIVE_CURRENT, TARGET_PLAIN, "C:", "x"},
    {"C:", TARGET_RULES_WINDOWS, TARGET_DRIVE_CURRENT, TARGET_PLAIN, "C:", ""},
    {"1:\\x", TARGET_RULES_WINDOWS, TARGET_RELATIVE, TARGET_PLAIN, "", "1:\\x"},
    {"\\x", TARGET_RULES_WINDOWS, TARGET_DRIVE_RELATIVE, TARGET_PLAIN, "", "\\x"},
    {"/x", TARGET_RULES_WINDOWS, TARGET_DRIVE_RELATIVE, TARGET_PLAIN, "", "/x"},
    {"\\", TARGET_RULES_WINDOWS, TARGET_DRIVE_RELATIVE, TARGET_PLAIN, "", "\\"},
    {"\\\\s\\h\\x", TARGET_RULES_WINDOWS, TARGET_UNC, TARGET_PLAIN, "", "s\\h\\x"},
    {"//s/h", TARGET_RULES_WINDOWS, TARGET_UNC, TARGET_PLAIN, "", "s/h"},
    {"\\\\?\\UNC\\s\\h", TARGET_RULES_WINDOWS, TARGET_UNC, TARGET_VERBATIM, "", "s\\h"},
    {"\\\\?\\unc\\s", TARGET_RULES_WINDOWS, TARGET_UNC, TARGET_VERBATIM, "", "s"},
    {"\\\\?\\UNC", TARGET_RULES_WINDOWS, TARGET_NT, TARGET_VERBATIM, "", "UNC"},
    {"\\\\?\\UNCLE\\s", TARGET_RULES_WINDOWS, TARGET_NT, TARGET_VERBATIM, "", "UNCLE\\s"},
    {"\\\\?\\C:\\x", TARGET_RULES_WINDOWS, TARGET_DRIVE_ABSOLUTE, TARGET_VERBATIM, "C:", "\\x"},
    {"\\\\?\\C:/x", TARGET_RULES_WINDOWS, TARGET_NT, TARGET_VERBATIM, "", "C:/x"},
    {"\\\\?\\C:", TARGET_RULES_WINDOWS, TARGET_NT, TARGET_VERBATIM, "", "C:"},
    {"\\\\?\\C:x", TARGET_RULES_WINDOWS, TARGET_NT, TARGET_VERBATIM, "", "C:x"},
    {"//?/C:/x", TARGET_RULES_WINDOWS, TARGET_DRIVE_ABSOLUTE, TARGET_DEVICE, "C:", "/x"},
    {"\\\\.\\C:\\x", TARGET_RULES_WINDOWS, TARGET_DRIVE_ABSOLUTE, TARGET_DEVICE, "C:", "\\x"},
    {"\\\\.\\pipe\\x", TARGET_RULES_WINDOWS, TARGET_NT, TARGET_DEVICE, "", "pipe\\x"},
    {"\\\\?\\Volume{" GUID "}\\x", TARGET_RULES_WINDOWS, TARGET_VOLUME, TARGET_VERBATIM,
     "Volume{" GUID "}", "\\x"},
    {"\\\\?\\volume{" GUID "}", TARGET_RULES_WINDOWS, TARGET_VOLUME, TARGET_VERBATIM,
     "volume{" GUID "}", ""},
    {"\\\\?\\Volume{x}\\", TARGET_RULES_WINDOWS, TARGET_NT, TARGET_VERBATIM, "", "Volume{x}\\"},
    {"\\\\?\\Volume{" GUID "}x", TARGET_RULES_WINDOWS, TARGET_NT, TARGET_VERBATIM, "",
     "Volume{" GUID "}x"},
    {"\\\\?\\Volume{" GUID, TARGET_RULES_WINDOWS, TARGET_NT, TARGET_VERBATIM, "", "Volume{" GUID},
    {"\\??\\C:\\x", TARGET_RULES_WINDOWS, TARGET_DRIVE_ABSOLUTE, TARGET_OBJECT, "C:", "\\x"},
    {"\\?\?/C:/x", TARGET_RULES_WINDOWS, TARGET_DRIVE_RELATIVE, TARGET_PLAIN, "", "\\?\?/C:/x"},
    {"\\??\\", TARGET_RULES_WINDOWS, TARGET_NT, TARGET_OBJECT, "", ""},
    {"\\??", TARGET_RULES_WINDOWS, TARGET_DRIVE_RELATIVE, TARGET_PLAIN, "", "\\??"},
    /* Substitute names. */
    {"\\??\\C:\\x", TARGET_RULES_NT, TARGET_DRIVE_ABSOLUTE, TARGET_OBJECT, "C:", "\\x"},
    {"\\??\\C:", TARGET_RULES_NT, TARGET_NT, TARGET_OBJECT, "", "C:"},
    {"\\??\\UNC\\s\\h", TARGET_RULES_NT, TARGET_UNC, TARGET_OBJECT, "", "s\\h"},
    {"\\??\\Volume{" GUID "}\\", TARGET_RULES_NT, TARGET_VOLUME, TARGET_OBJECT, "Volume{" GUID "}",
     "\\"},
    {"\\??\\GLOBALROOT\\x", TARGET_RULES_NT, TARGET_NT, TARGET_OBJECT, "", "GLOBALROOT\\x"},
    {"\\\\?\\C:\\x", TARGET_RULES_NT, TARGET_DRIVE_ABSOLUTE, TARGET_VERBATIM, "C:", "\\x"},
    {"\\Device\\x", TARGET_RULES_NT, TARGET_NT, TARGET_PLAIN, "", "\\Device\\x"},
    {"C:\\x", TARGET_RULES_NT, TARGET_RELATIVE, TARGET_PLAIN, "", "C:\\x"},
    {"a/b", TARGET_RULES_NT_RELATIVE, TARGET_RELATIVE, TARGET_PLAIN, "", "a/b"},
    {"\\x", TARGET_RULES_NT_RELATIVE, TARGET_DRIVE_RELATIVE, TARGET_PLAIN, "", "\\x"},
    {"/x", TARGET_RULES_NT_RELATIVE, TARGET_RELATIVE, TARGET_PLAIN, "", "/x"},
};

static void windows_knows_more(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        struct target t;

        target_parse(bytes_of(parts[i].text), parts[i].rules, &t);
        if (t.form != parts[i].form || t.prefix != parts[i].prefix)
            fail_msg("%s: %s, prefix %d", parts[i].text, target_form_name(t.form), (int)t.prefix);
        check_text(t.text, parts[i].text);
        check_text(t.root, parts[i].root);
        check_text(t.rest, parts[i].rest);
        assert_int_equal(target_form(bytes_of(parts[i].text), parts[i].rules), parts[i].form);
    }
}

static void components_are_split_by_what_separates_them(void **state)
{
    static const struct {
        const char *text;
        enum target_rules rules;
        const char *components[4];
    } cases[] = {
        {"//a//b/", TARGET_RULES_POSIX, {"a", "b"}},
        {"a\\b/c", TARGET_RULES_POSIX, {"a\\b", "c"}},
        {"C:\\a/b\\\\c", TARGET_RULES_WINDOWS, {"a", "b", "c"}},
        {"\\\\?\\C:\\a/b\\c", TARGET_RULES_WINDOWS, {"a/b", "c"}},
        {"//?/C:/a\\b", TARGET_RULES_WINDOWS, {"a", "b"}},
        {"\\??\\C:\\a/b", TARGET_RULES_NT, {"a/b"}},
        {"\\\\s\\h\\.", TARGET_RULES_WINDOWS, {"s", "h", "."}},
        {"", TARGET_RULES_WINDOWS, {NULL}},
        {"\\/\\", TARGET_RULES_WINDOWS, {NULL}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct target t;
        struct bytes rest, name;
        size_t count = 0;

        target_parse(bytes_of(cases[i].text), cases[i].rules, &t);
        for (rest = t.rest; target_next(&t, &rest, &name); count++) {
            assert_non_null(cases[i].components[count]);
            check_text(name, cases[i].components[count]);
        }
        assert_null(cases[i].components[count]);
        assert_int_equal(rest.size, 0);
    }
}

static void volume_roots_make_mount_points(void **state)
{
    static const struct {
        const char *text;
        bool root;
    } cases[] = {
        {"\\??\\Volume{" GUID "}\\", true},
        {"\\??\\Volume{" GUID "}", true},
        {"\\??\\Volume{" GUID "}\\a", false},
        {"\\??\\Volume{" GUID "}\\.", false},
        {"\\??\\C:\\", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct target t;

        target_parse(bytes_of(cases[i].text), TARGET_RULES_NT, &t);
        assert_int_equal(target_is_volume_root(&t), cases[i].root);
    }
}

static void substitute_names_are_said_as_win32_does(void **state)
{
    static const struct {
        const char *text;
        enum target_rules rules;
        const char *win32;
    } cases[] = {
        {"\\??\\C:\\x", TARGET_RULES_NT, "C:\\x"},
        {"\\??\\UNC\\s\\h", TARGET_RULES_NT, "\\\\s\\h"},
        {"\\??\\C:\\x.", TARGET_RULES_NT, "\\\\?\\C:\\x."},
        {"\\??\\C:\\a/b", TARGET_RULES_NT, "\\\\?\\C:\\a/b"},
        {"\\??\\C:\\..\\x", TARGET_RULES_NT, "\\\\?\\C:\\..\\x"},
        {"\\??\\UNC\\s\\h\\nul", TARGET_RULES_NT, "\\\\?\\UNC\\s\\h\\nul"},
        {"\\??\\Volume{" GUID "}\\", TARGET_RULES_NT, "\\\\?\\Volume{" GUID "}\\"},
        {"\\??\\pipe\\x", TARGET_RULES_NT, "\\\\?\\pipe\\x"},
        {"\\??\\C:", TARGET_RULES_NT, "\\\\?\\C:"},
        {"\\Device\\x", TARGET_RULES_NT, "\\\\?\\GLOBALROOT\\Device\\x"},
        {"\\\\?\\C:\\x", TARGET_RULES_NT, "\\\\?\\C:\\x"},
        {"..\\x", TARGET_RULES_NT_RELATIVE, "..\\x"},
        {"\\x", TARGET_RULES_NT_RELATIVE, "\\x"},
        {"/x", TARGET_RULES_POSIX, "/x"},
    };
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer out = {0};
        struct target t;

        target_parse(bytes_of(cases[i].text), cases[i].rules, &t);
        check_done(target_append_win32(&out, &t, &err));
        check_text(buffer_bytes(&out), cases[i].win32);
        buffer_release(&out);
    }
}

static void paths_are_turned_for_the_other_system(void **state)
{
    static const struct {
        const char *text;
        enum target_rules from, to;
        const char *turned, *why;
    } cases[] = {
        {"a/../b//c/", TARGET_RULES_POSIX, TARGET_RULES_WINDOWS, "a\\..\\b\\\\c\\", NULL},
        {".", TARGET_RULES_POSIX, TARGET_RULES_WINDOWS, ".", NULL},
        {"/a/b", TARGET_RULES_POSIX, TARGET_RULES_WINDOWS, "\\a\\b", NULL},
        {"a\\b", TARGET_RULES_POSIX, TARGET_RULES_WINDOWS, NULL,
         "a character that Windows does not take"},
        {"a/nul.txt", TARGET_RULES_POSIX, TARGET_RULES_WINDOWS, NULL, "a device of Windows"},
        {"a/b.", TARGET_RULES_POSIX, TARGET_RULES_WINDOWS, NULL, "a dot or space at the end"},
        {"a/\xff", TARGET_RULES_POSIX, TARGET_RULES_WINDOWS, NULL, "not valid WTF-8"},
        {"..\\a\\b", TARGET_RULES_NT_RELATIVE, TARGET_RULES_POSIX, "../a/b", NULL},
        {"a/b\\c", TARGET_RULES_WINDOWS, TARGET_RULES_POSIX, "a/b/c", NULL},
        {"a/b\\c", TARGET_RULES_NT_RELATIVE, TARGET_RULES_POSIX, NULL, "a slash in a name"},
        {"\\??\\C:\\a\\b", TARGET_RULES_NT, TARGET_RULES_POSIX, "/a/b", NULL},
    };
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer out = {0};
        struct target t;
        const char *why = NULL;

        target_parse(bytes_of(cases[i].text), cases[i].from, &t);
        int result = check_done(target_turn(&out, &t, cases[i].to, &why, &err));
        assert_int_equal(result, cases[i].turned != NULL);
        check_text(buffer_bytes(&out), cases[i].turned ? cases[i].turned : "");
        if (cases[i].why)
            assert_string_equal(why, cases[i].why);
        buffer_release(&out);
    }
}

static void forms_and_states_have_names(void **state)
{
    (void)state;
    assert_string_equal(target_form_name(TARGET_RELATIVE), "relative");
    assert_string_equal(target_form_name(TARGET_POSIX_ABSOLUTE), "absolute");
    assert_string_equal(target_form_name(TARGET_DRIVE_CURRENT), "drive-current");
    assert_string_equal(target_form_name(TARGET_NT), "nt");
    assert_string_equal(target_state_name(TARGET_INSIDE), "inside");
    assert_string_equal(target_state_name(TARGET_LOOPING), "looping");
    assert_string_equal(target_state_name(TARGET_UNKNOWN), "unknown");
}

static void relative_targets_lead_where_their_words_say(void **state)
{
    static const struct {
        const char *folder, *target, *path; /* NULL: out of the tree */
        enum target_rules rules;
    } cases[] = {
        {"", "a", "a", TARGET_RULES_POSIX},
        {"", "a/b", "a/b", TARGET_RULES_POSIX},
        {"d", "a", "d/a", TARGET_RULES_POSIX},
        {"d/e", "../a", "d/a", TARGET_RULES_POSIX},
        {"d/e", "../../a", "a", TARGET_RULES_POSIX},
        {"d/e", "../..", "", TARGET_RULES_POSIX},
        {"d/e", "../../..", NULL, TARGET_RULES_POSIX},
        {"d", "../../d/a", NULL, TARGET_RULES_POSIX},
        {"", "..", NULL, TARGET_RULES_POSIX},
        {"", ".", "", TARGET_RULES_POSIX},
        {"d", "", "d", TARGET_RULES_POSIX},
        {"d", "./a//b/.", "d/a/b", TARGET_RULES_POSIX},
        {"d", "a/../b/", "d/b", TARGET_RULES_POSIX},
        {"d", "...", "d/...", TARGET_RULES_POSIX},
        {"d", ".a/..b", "d/.a/..b", TARGET_RULES_POSIX},
        {"d", "/a", NULL, TARGET_RULES_POSIX},
        {"d", "a\\b", "d/a\\b", TARGET_RULES_POSIX},
        {"d", "a\\..\\b/c", "d/b/c", TARGET_RULES_WINDOWS},
        {"d", "..\\..\\a", NULL, TARGET_RULES_WINDOWS},
        {"d", "a\\b", "d/a/b", TARGET_RULES_NT_RELATIVE},
        {"d", "a/b", NULL, TARGET_RULES_NT_RELATIVE},
        {"d", "\\a", NULL, TARGET_RULES_NT_RELATIVE},
        {"d", "C:\\a", NULL, TARGET_RULES_WINDOWS},
    };
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer out = {0};
        struct target t;

        target_parse(bytes_of(cases[i].target), cases[i].rules, &t);
        check_done(buffer_append(&out, "before", 6, &err));
        int result = check_done(target_resolve(bytes_of(cases[i].folder), &t, &out, &err));
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
        cmocka_unit_test(components_are_split_by_what_separates_them),
        cmocka_unit_test(volume_roots_make_mount_points),
        cmocka_unit_test(substitute_names_are_said_as_win32_does),
        cmocka_unit_test(paths_are_turned_for_the_other_system),
        cmocka_unit_test(forms_and_states_have_names),
        cmocka_unit_test(relative_targets_lead_where_their_words_say),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
