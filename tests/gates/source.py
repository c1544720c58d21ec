"""The hard limits of the source: sizes, parameters, includes, and where systems may differ.

usage: source.py SRC

A function counts from the line of its name to its closing brace. The file is taken apart into tokens, so comments,
strings and preprocessor lines cannot be taken for code.
"""

import pathlib
import re
import statistics
import sys

FUNCTION_LINES = 80
FILE_LINES = 600
PARAMETERS = 5

TOKEN = re.compile(
    r"""(?P<skip>//[^\n]*|/\*.*?\*/|^[ \t]*\#(?:\\\n|/\*.*?\*/|[^\n])*|\s+)
      | (?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
      | (?P<word>[A-Za-z_]\w*)
      | (?P<sign>\.\.\.|.)""",
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
OPEN = {"(": ")", "{": "}", "[": "]"}


class Function:
    """One function definition: its name, first and last line, and the tokens of each parameter."""

    def __init__(self, name, first, last, parameters):
        self.name = name
        self.lines = last - first + 1
        self.first = first
        self.parameters = parameters


def tokens_of(text):
    """Return a list of (token, line) of C code without comments and preprocessor lines."""
    text = text.replace("\\\r\n", "\\\n")
    found = []
    line = 1
    for match in TOKEN.finditer(text):
        if not match["skip"]:
            found.append((match.group(), line))
        line += match.group().count("\n")
    return found


def matching(tokens, start):
    """Return the index of the bracket that closes the one at START; ValueError if none does."""
    wanted = []
    for index in range(start, len(tokens)):
        token = tokens[index][0]
        if token in OPEN:
            wanted.append(OPEN[token])
        elif token in (")", "}", "]"):
            if not wanted or wanted.pop() != token:
                raise ValueError(f"line {tokens[index][1]}: unbalanced {token}")
            if not wanted:
                return index
    raise ValueError(f"line {tokens[start][1]}: {tokens[start][0]} is never closed")


def parameters_of(tokens):
    """Split the tokens between a function's parentheses at the commas of the top level."""
    parameters = [[]]
    depth = 0
    for token, _ in tokens:
        depth += (token in OPEN) - (token in (")", "}", "]"))
        if token == "," and depth == 0:
            parameters.append([])
        else:
            parameters[-1].append(token)
    return [one for one in parameters if one not in ([], ["void"], ["..."])]


def functions_of(text):
    """Return the function definitions of a C file; ValueError where brackets do not match."""
    tokens = tokens_of(text)
    functions = []
    index = 0
    call = None  # the last NAME(...) at the top level: (index of the name, of its parentheses)
    while index < len(tokens):
        token = tokens[index][0]
        if token in (")", "}", "]"):
            raise ValueError(f"line {tokens[index][1]}: unbalanced {token}")
        if token not in OPEN:
            if token in (";", "=", ","):
                call = None
            index += 1
            continue
        end = matching(tokens, index)
        if token == "(" and index and re.match(r"[A-Za-z_]", tokens[index - 1][0]):
            call = (index - 1, index, end)
        elif token == "{":
            # A body follows the closing parenthesis of its parameters; a struct's brace follows a word.
            if call and call[2] == index - 1:
                name, first = tokens[call[0]]
                functions.append(Function(name, first, tokens[end][1],
                                          parameters_of(tokens[call[1] + 1:call[2]])))
            call = None
        index = end + 1
    return functions


def check_function(function):
    """Return what is wrong with one function."""
    wrong = []
    if function.lines > FUNCTION_LINES:
        wrong.append(f"{function.name} has {function.lines} lines, the limit is {FUNCTION_LINES}")
    if len(function.parameters) > PARAMETERS:
        wrong.append(f"{function.name} has {len(function.parameters)} parameters, the limit is {PARAMETERS}")
    flags = [parameter[0] == "bool" and "*" not in parameter for parameter in function.parameters]
    if any(a and b for a, b in zip(flags, flags[1:])):
        wrong.append(f"{function.name} takes two bools in a row: use an enum")
    return wrong


def check_lines(text, system_layer):
    """Return (line, message) for what single lines must not say."""
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(r'\s*#\s*include\s*"(.*/)?\.\./', line) or re.match(r'\s*#\s*include\s*"\./', line):
            yield number, "includes are spelt from the layer's name"
        if not system_layer and re.match(r"\s*#\s*(if|elif|ifdef|ifndef)\b.*\b(_WIN32|_WIN64|__linux__|__MINGW\w*|__APPLE__)\b", line):
            yield number, "systems differ in os/ alone"


def check_file(text, system_layer=False):
    """Return (messages, functions) of one file; a message starts with its line."""
    count = len(text.splitlines())
    wrong = []
    if count > FILE_LINES:
        wrong.append(f"1: {count} lines, the limit is {FILE_LINES}")
    wrong += [f"{number}: {message}" for number, message in check_lines(text, system_layer)]
    try:
        functions = functions_of(text)
    except ValueError as error:
        return wrong + [f"1: cannot be taken apart: {error}"], []
    for function in functions:
        wrong += [f"{function.first}: {message}" for message in check_function(function)]
    return wrong, functions


def main(arguments):
    src = pathlib.Path(arguments[0])
    wrong = []
    lengths = []
    files = sorted(path for path in src.rglob("*") if path.suffix in (".c", ".h"))
    for path in files:
        name = path.relative_to(src)
        messages, functions = check_file(path.read_text(encoding="utf-8"), name.parts[0] == "os")
        wrong += [f"src/{name}:{message}" for message in messages]
        lengths += [function.lines for function in functions]
    print("\n".join(wrong))
    if lengths:
        short = sum(length < 45 for length in lengths) * 100 // len(lengths)
        print(f"{len(files)} files, {len(lengths)} functions, median {statistics.median(lengths):g} lines, "
              f"{short} % under 45, longest {max(lengths)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
