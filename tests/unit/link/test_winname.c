/*
 * Names that Windows cannot hold: what is wrong with each, and that the escape brings each back.
 */
#include "link/winname.h"

#include <string.h>

#include "support/check.h"

static const struct {
    const char *name;
    enum winname_fault fault;
    const char *escaped; /* NULL: there is none */
} cases[] = {
    {"a", WINNAME_FINE, "a"},
    {"a.txt", WINNAME_FINE, "a.txt"},
    {" a", WINNAME_FINE, " a"},
    {".a", WINNAME_FINE, ".a"},
    {"...a", WINNAME_FINE, "...a"},
    {"a'`~!@#$%^&()-_=+[]{};,", WINNAME_FINE, "a'`~!@#$%^&()-_=+[]{};,"},
    {"\x7f", WINNAME_FINE, "\x7f"},
    {"\u00e9\U0001f600", WINNAME_FINE, "\u00e9\U0001f600"},
    {"\xed\xa0\x80", WINNAME_FINE, "\xed\xa0\x80"},
    /* No names at all. */
    {"", WINNAME_NO_NAME, NULL},
    {".", WINNAME_NO_NAME, NULL},
    {"..", WINNAME_NO_NAME, NULL},
    {"a/b", WINNAME_NO_NAME, NULL},
    {"/", WINNAME_NO_NAME, NULL},
    /* Characters. */
    {"a:b", WINNAME_CHARACTER, "a\uf03ab"},
    {"a\\b", WINNAME_CHARACTER, "a\uf05cb"},
    {"<>\"|?*", WINNAME_CHARACTER, "\uf03c\uf03e\uf022\uf07c\uf03f\uf02a"},
    {"::$DATA", WINNAME_CHARACTER, "\uf03a\uf03a$DATA"},
    {"\x01", WINNAME_CONTROL, "\uf001"},
    {"a\nb\x1f", WINNAME_CONTROL, "a\uf00ab\uf01f"},
    {"a\n:", WINNAME_CHARACTER, "a\uf00a\uf03a"},
    /* Ends. */
    {"a.", WINNAME_TRAILING, "a\uf02e"},
    {"a ", WINNAME_TRAILING, "a\uf020"},
    {"a. . ", WINNAME_TRAILING, "a. .\uf020"},
    {"...", WINNAME_TRAILING, "..\uf02e"},
    {" ", WINNAME_TRAILING, "\uf020"},
    /* Devices. */
    {"CON", WINNAME_DEVICE, "\uf043ON"},
    {"con", WINNAME_DEVICE, "\uf063on"},
    {"Prn", WINNAME_DEVICE, "\uf050rn"},
    {"AUX", WINNAME_DEVICE, "\uf041UX"},
    {"NUL", WINNAME_DEVICE, "\uf04eUL"},
    {"nul.tar.gz", WINNAME_DEVICE, "\uf06eul.tar.gz"},
    {"CON .txt", WINNAME_DEVICE, "\uf043ON .txt"},
    {"CON.", WINNAME_DEVICE, "\uf043ON\uf02e"},
    {"CON:", WINNAME_CHARACTER, "\uf043ON\uf03a"},
    {"CONIN$", WINNAME_DEVICE, "\uf043ONIN$"},
    {"conout$", WINNAME_DEVICE, "\uf063onout$"},
    {"COM1", WINNAME_DEVICE, "\uf043OM1"},
    {"com9.x", WINNAME_DEVICE, "\uf063om9.x"},
    {"LPT5", WINNAME_DEVICE, "\uf04cPT5"},
    {"COM\u00b9", WINNAME_DEVICE, "\uf043OM\u00b9"},
    {"lpt\u00b2", WINNAME_DEVICE, "\uf06cpt\u00b2"},
    {"LPT\u00b3.x", WINNAME_DEVICE, "\uf04cPT\u00b3.x"},
    /* Nearly devices. */
    {"CONS", WINNAME_FINE, "CONS"},
    {"CO", WINNAME_FINE, "CO"},
    {".CON", WINNAME_FINE, ".CON"},
    {" CON", WINNAME_FINE, " CON"},
    {"CON_.txt", WINNAME_FINE, "CON_.txt"},
    {"COM0", WINNAME_FINE, "COM0"},
    {"COM", WINNAME_FINE, "COM"},
    {"COM10", WINNAME_FINE, "COM10"},
    {"COM\u00b4", WINNAME_FINE, "COM\u00b4"},
    {"COM\u2081", WINNAME_FINE, "COM\u2081"},
    {"LPTa", WINNAME_FINE, "LPTa"},
    {"CONIN", WINNAME_FINE, "CONIN"},
    {"\uf043ON", WINNAME_FINE, "\uf0ef\uf081\uf083ON"},
    /* No text. */
    {"\xff", WINNAME_NOT_TEXT, "\uf0ff"},
    {"a\x80z", WINNAME_NOT_TEXT, "a\uf080z"},
    {"\xc3(", WINNAME_NOT_TEXT, "\uf0c3("},
    {"\xed\xa0\x80\xed\xb0\x80", WINNAME_NOT_TEXT, "\xed\xa0\x80\uf0ed\uf0b0\uf080"},
    {"\xf0\x9f\x98", WINNAME_NOT_TEXT, "\uf0f0\uf09f\uf098"},
    /* Names that hold the characters of the escape already. */
    {"\uf03a", WINNAME_FINE, "\uf0ef\uf080\uf0ba"},
    {"\uf001\uf0ff", WINNAME_FINE, "\uf0ef\uf080\uf081\uf0ef\uf083\uf0bf"},
    {"\uf0ef\uf080\uf0ba", WINNAME_FINE, "\uf0ef\uf083\uf0af\uf0ef\uf082\uf080\uf0ef\uf082\uf0ba"},
    {"\uf000\uf100", WINNAME_FINE, "\uf000\uf100"},
};

enum { CASES = sizeof cases / sizeof *cases };

static void faults_are_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        if (winname_check(bytes_of(cases[i].name)) != cases[i].fault)
            fail_msg("case %zu, '%s': %s", i, cases[i].name,
                     winname_fault_text(winname_check(bytes_of(cases[i].name))));
    }
    assert_int_equal(winname_check(bytes_make("a\0b", 3)), WINNAME_NO_NAME);
    assert_string_equal(winname_fault_text(WINNAME_FINE), "");
}

static void names_are_escaped_and_come_back(void **state)
{
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        struct buffer escaped = {0}, again = {0};

        check_done(buffer_append_byte(&escaped, 'k', &err));
        if (!cases[i].escaped) {
            check_kind(winname_escape(&escaped, bytes_of(cases[i].name), &err), ERROR_FORMAT);
            check_text(buffer_bytes(&escaped), "k");
            buffer_release(&escaped);
            continue;
        }
        check_done(winname_escape(&escaped, bytes_of(cases[i].name), &err));
        struct bytes text = bytes_make(escaped.data + 1, escaped.size - 1);
        check_text(text, cases[i].escaped);
        assert_int_equal(winname_check(text), WINNAME_FINE);
        check_done(winname_unescape(&again, text, &err));
        check_text(buffer_bytes(&again), cases[i].name);
        buffer_release(&escaped);
        buffer_release(&again);
    }
}

/* Escapes where none is needed, and ones that would make what is no name. */
static void what_is_nobodys_escape_is_told(void **state)
{
    static const char *const names[] = {
        "",       "\uf041", "x\uf041", "a\uf02eb",     "a\uf020.",           "CON", "a:", "\uf02f",
        "\uf02e", "\xff",   "a ",      "\uf0c3\uf0a9", "\uf0ef\uf080\uf080",
    };
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct buffer out = {0};

        check_done(buffer_append_byte(&out, 'k', &err));
        check_kind(winname_unescape(&out, bytes_of(names[i]), &err), ERROR_FORMAT);
        check_text(buffer_bytes(&out), "k");
        buffer_release(&out);
    }
}

static struct bytes long_name(struct buffer *name, const char *character, size_t count,
                              const char *end)
{
    struct error err = {0};

    name->size = 0;
    for (size_t i = 0; i < count; i++)
        check_done(buffer_append(name, character, strlen(character), &err));
    check_done(buffer_append(name, end, strlen(end), &err));
    return buffer_bytes(name);
}

static void length_counts_units(void **state)
{
    struct buffer name = {0}, out = {0};
    struct error err = {0};

    (void)state;
    assert_int_equal(winname_check(long_name(&name, "a", 255, "")), WINNAME_FINE);
    assert_int_equal(winname_check(long_name(&name, "a", 256, "")), WINNAME_LONG);
    assert_int_equal(winname_check(long_name(&name, "\u20ac", 255, "")), WINNAME_FINE);
    assert_int_equal(winname_check(long_name(&name, "\u20ac", 255, "a")), WINNAME_LONG);
    assert_int_equal(winname_check(long_name(&name, "\U0001f600", 127, "a")), WINNAME_FINE);
    assert_int_equal(winname_check(long_name(&name, "\U0001f600", 127, "aa")), WINNAME_LONG);
    check_done(winname_escape(&out, long_name(&name, "a", 254, ":"), &err));
    check_kind(winname_escape(&out, long_name(&name, "a", 255, ":"), &err), ERROR_LIMIT);
    check_kind(winname_escape(&out, long_name(&name, "\xff", 256, ""), &err), ERROR_LIMIT);
    check_done(winname_escape(&out, long_name(&name, "\xff", 255, ""), &err));
    check_kind(winname_escape(&out, long_name(&name, "\uf03a", 86, ""), &err), ERROR_LIMIT);
    buffer_release(&name);
    buffer_release(&out);
}

/* All names of one byte and of two. */
static void short_names_come_back(void **state)
{
    struct error err = {0};

    (void)state;
    for (unsigned i = 1; i < 0x10000; i++) {
        const uint8_t bytes[2] = {(uint8_t)i, (uint8_t)(i >> 8)};
        struct bytes name = bytes_make(bytes, bytes[1] ? 2 : 1);
        struct buffer escaped = {0}, again = {0};

        if (!bytes[0] || winname_check(name) == WINNAME_NO_NAME)
            continue;
        check_done(winname_escape(&escaped, name, &err));
        assert_int_equal(winname_check(buffer_bytes(&escaped)), WINNAME_FINE);
        check_done(winname_unescape(&again, buffer_bytes(&escaped), &err));
        assert_true(bytes_equal(buffer_bytes(&again), name));
        buffer_release(&escaped);
        buffer_release(&again);
    }
}

static void paths_are_escaped_by_component(void **state)
{
    static const struct {
        const char *path, *escaped;
    } paths[] = {
        {"", ""},
        {"a/b", "a/b"},
        {"a:/CON/x.", "a\xef\x80\xba/\xef\x81\x83ON/x\xef\x80\xae"},
        {"a//b", NULL},
        {"a/../b", NULL},
        {"/a", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct error err = {0};
        struct buffer out = {0};

        if (paths[i].escaped)
            check_done(winname_escape_path(&out, bytes_of(paths[i].path), &err));
        else
            check_kind(winname_escape_path(&out, bytes_of(paths[i].path), &err), ERROR_FORMAT);
        check_text(buffer_bytes(&out), paths[i].escaped ? paths[i].escaped : "");
        buffer_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_are_found),
        cmocka_unit_test(names_are_escaped_and_come_back),
        cmocka_unit_test(what_is_nobodys_escape_is_told),
        cmocka_unit_test(paths_are_escaped_by_component),
        cmocka_unit_test(length_counts_units),
        cmocka_unit_test(short_names_come_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
