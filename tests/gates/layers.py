"""A layer sees what it may use and nothing else: each wrong include is compiled, and must not compile.

usage: layers.py COMPILER SRC LAYER=FOLDER:FOLDER... with the include folders that the build gives to each layer.
"""

import os
import pathlib
import subprocess
import sys

# The arrows, stated once more and apart from the build: who may include whom.
USES = {
    "base": [],
    "link": ["base"],
    "tree": ["link", "base"],
    "os": ["base"],
    "disk": ["os", "tree", "link", "base"],
    "archive": ["os", "tree", "link", "base"],
    "cli": ["archive", "disk", "os", "tree", "link", "base"],
}
NOT_FOUND = ("No such file or directory", "file not found")


def compile_includes(compiler, folders, headers):
    """Compile a file that holds nothing but these includes; return (compiled, diagnostics)."""
    source = "".join(f'#include "{header}"\n' for header in headers) + "extern int probe;\n"
    command = [compiler, "-std=c11", "-fsyntax-only", "-x", "c", "-"]
    for folder in folders:
        command += ["-I", folder]
    result = subprocess.run(command, input=source, capture_output=True, text=True,
                            env={**os.environ, "LC_ALL": "C"}, check=False)
    return result.returncode == 0, result.stderr


def check_pair(compiler, folders, layer, other, headers):
    """Return what is wrong with LAYER including OTHER, or None."""
    if other == layer or other in USES[layer]:
        compiled, text = compile_includes(compiler, folders, headers)
        return None if compiled else f"{layer} must see {other}, but:\n{text}"
    for header in headers:
        compiled, text = compile_includes(compiler, folders, [header])
        if compiled or not any(reason in text for reason in NOT_FOUND):
            return f'{layer} must not see "{header}", but the compiler finds it\n{text}'
    return None


def check_alone(compiler, folders, headers):
    """Return a message for each header that needs another include before it."""
    wrong = []
    for header in headers:
        compiled, text = compile_includes(compiler, folders, [header])
        if not compiled:
            wrong.append(f'"{header}" does not compile alone:\n{text}')
    return wrong


def main(arguments):
    compiler, src, *paths = arguments
    folders = {layer: value.split(":") for layer, value in (path.split("=", 1) for path in paths)}
    if set(folders) != set(USES):
        sys.exit(f"layers of the build and of this test differ: {sorted(set(folders) ^ set(USES))}")
    present = {layer: sorted(f"{layer}/{header.name}" for header in pathlib.Path(src, layer).glob("*.h"))
               for layer in USES}
    wrong = []
    seen = hidden = 0
    for layer in USES:
        wrong += check_alone(compiler, folders[layer], present[layer])
        for other, headers in present.items():
            if not headers:
                continue
            message = check_pair(compiler, folders[layer], layer, other, headers)
            if message:
                wrong.append(message)
            elif other == layer or other in USES[layer]:
                seen += 1
            else:
                hidden += 1
    print("\n".join(wrong))
    print(f"{seen} pairs of layers see each other, {hidden} do not, {len(wrong)} are wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
