"""The gates themselves: they find what they are there to find, and are not fooled by what looks like it."""

import unittest

import source


def body(lines):
    return "".join(f"    call({n});\n" for n in range(lines))


def names(text):
    return [(function.name, function.lines, len(function.parameters)) for function in source.functions_of(text)]


class FunctionsTest(unittest.TestCase):
    def test_finds_functions_and_only_those(self):
        text = """
#define OPEN {
#define TWO(a) \\
    do { a
struct pair { int a; int b; };
struct pair table[] = {{1, 2}, {3, 4}};
int declared(int a, int b);
enum { ONE, };
static const struct vtable calls = {
    .next = next,
};
struct pair *first(void)
{
    return table;
}
// a comment { that opens
/* another ( */
static int second(int a, int (*f)(int, int), const char *text[static 2], ...)
{
    if (a) {
        return '{';
    }
    return f(a, "}\\"{") ? 1 : 0;
}
"""
        self.assertEqual(names(text), [("first", 4, 0), ("second", 7, 3)])

    def test_signature_over_two_lines_counts(self):
        self.assertEqual(names("int f(int a,\n      int b)\n{\n}\n"), [("f", 4, 2)])

    def test_attributes_before_and_macros(self):
        text = "__attribute__((noreturn)) void f(int a)\n{\n}\nMUST_CHECK int g(void)\n{\n}\n"
        self.assertEqual(names(text), [("f", 3, 1), ("g", 3, 0)])

    def test_unbalanced_is_an_error(self):
        self.assertTrue(source.check_file("int f(void)\n{\n    if (1) {\n}\n")[0])
        self.assertTrue(source.check_file("int f(void)\n{\n}}\n")[0])


class LimitsTest(unittest.TestCase):
    def wrong(self, text, **kind):
        return source.check_file(text, **kind)[0]

    def test_function_of_80_lines_is_the_last_that_passes(self):
        self.assertEqual(self.wrong("int f(void)\n{\n" + body(77) + "}\n"), [])
        self.assertEqual(self.wrong("int f(void)\n{\n" + body(78) + "}\n"),
                         ["1: f has 81 lines, the limit is 80"])

    def test_file_of_600_lines_is_the_last_that_passes(self):
        self.assertEqual(self.wrong("\n" * 600), [])
        self.assertEqual(self.wrong("\n" * 601), ["1: 601 lines, the limit is 600"])

    def test_five_parameters(self):
        self.assertEqual(self.wrong("int f(int a, int b, int c, int d, int e)\n{\n}\n"), [])
        self.assertEqual(len(self.wrong("int f(int a, int b, int c, int d, int e, int g)\n{\n}\n")), 1)

    def test_two_bools(self):
        self.assertEqual(self.wrong("int f(bool a, int b, bool c)\n{\n}\n"), [])
        self.assertEqual(self.wrong("int f(bool a, bool *b)\n{\n}\n"), [])
        self.assertEqual(len(self.wrong("int f(bool a, bool b)\n{\n}\n")), 1)

    def test_includes(self):
        self.assertEqual(self.wrong('#include "base/error.h"\n'), [])
        self.assertEqual(len(self.wrong('#include "../base/error.h"\n')), 1)
        self.assertEqual(len(self.wrong('#  include "tree/../base/error.h"\n')), 1)

    def test_systems(self):
        self.assertEqual(len(self.wrong("#ifdef _WIN32\n#endif\n")), 1)
        self.assertEqual(len(self.wrong("#if defined(_WIN32)\n#endif\n")), 1)
        self.assertEqual(self.wrong("#ifdef _WIN32\n#endif\n", system_layer=True), [])


if __name__ == "__main__":
    unittest.main()
