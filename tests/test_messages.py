"""Error messages are sentences, and none is broken in the middle of a clause."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted([*(ROOT / "mmreid_ext").rglob("*.py"), *(ROOT / "tools").rglob("*.py")])
FILES = [file for file in FILES if ".mim" not in file.parts]

LITERAL = re.compile(r"""\s+f?(["'])(?P<text>.*)\1""")
GOES_ON = re.compile(r"""\s+f?["'][^(]""")

SHORTEST = 30
"""Characters: a shorter piece of a message that ends inside a clause was left by a re-wrap."""

# Ends a sentence; or a whole sentence, or what another error says, is put in after one of these.
ENDS = re.compile(r"([.?]|[.;:]\s*(- )?\{\})$")
CLAUSE = re.compile(r"[.,;:?)\]] ?$|\\n(  - )?$")


def trees() -> dict[Path, ast.Module]:
    return {file: ast.parse(file.read_text(encoding="utf-8")) for file in FILES}


def user_errors(modules: dict[Path, ast.Module]) -> set[str]:
    """Names of the errors that a user can mend: ``UserError`` and what derives from it."""
    classes = [
        node
        for module in modules.values()
        for node in ast.walk(module)
        if isinstance(node, ast.ClassDef)
    ]
    names = {"UserError"}
    while True:
        found = {c.name for c in classes if names & {ast.unparse(base) for base in c.bases}}
        if found <= names:
            return names
        names |= found


def calls(module: ast.Module, names: set[str]) -> Iterator[ast.Call]:
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in names and node.args:
            yield node


def text_of(node: ast.expr) -> str:
    """The message with ``{}`` for what isn't literal in it."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(map(text_of, node.values))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return text_of(node.left) + text_of(node.right)
    return "{}"


def pieces(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of each literal that goes on in a literal on the next line."""
    lines = source.splitlines()
    for number, (line, following) in enumerate(zip(lines, lines[1:], strict=False), 1):
        found = LITERAL.fullmatch(line)
        if found and GOES_ON.match(following):
            yield number, found["text"]


MODULES = trees()
NAMES = user_errors(MODULES)


def test_the_errors_are_found():
    assert {"UserTypeError", "MissingFileError", "UnsafeCheckpointError"} <= NAMES
    assert sum(1 for module in MODULES.values() for _ in calls(module, NAMES)) > 300


def test_messages_are_sentences():
    wrong = [
        f"{file.relative_to(ROOT)}:{call.lineno}: {text}"
        for file, module in MODULES.items()
        for call in calls(module, NAMES)
        if (text := text_of(call.args[0])) != "{}" and not ENDS.search(text)
    ]
    assert not wrong, "\n".join(["These don't end with a full stop:", *wrong])


def test_messages_are_not_broken_inside_a_clause():
    wrong = [
        f"{file.relative_to(ROOT)}:{line}: {text}"
        for file in FILES
        for line, text in pieces(file.read_text(encoding="utf-8"))
        if len(text) < SHORTEST and not CLAUSE.search(text)
    ]
    assert not wrong, "\n".join(["These break inside a clause:", *wrong])
