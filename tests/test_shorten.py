import ast
import re
from pathlib import Path

import pytest

from mmreid_ext.shorten import one_line, several, shorten

ROOT = Path(__file__).parents[1]
SOURCES = [
    path
    for folder in ("mmreid_ext", "tools")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if ".mim" not in path.parts and path.name != "shorten.py"
]


@pytest.mark.parametrize(
    "values, text",
    [
        ([], ""),
        (range(5), "0, 1, 2, 3, 4"),
        (range(7), "0, 1, 2, 3, 4 and 2 more"),
        ((name for name in "ab"), "a, b"),
    ],
)
def test_first_five_and_how_many_more(values, text):
    assert shorten(values) == text


def test_separator_and_number_can_be_chosen():
    assert shorten("abcd", "; ", 3) == "a; b; c and 1 more"


def test_one_line_has_no_line_break_and_a_length():
    assert one_line("a\nb\tc\x00") == "a b c "
    assert one_line("x" * 81) == "x" * 79 + "…" and one_line("x" * 80) == "x" * 80
    assert one_line(12345, 3) == "12…"


def _first_of_a_list(node):
    """Whether a node is ``[:5]`` or ``[:_SHOWN]``: the beginning of a list, of a fixed length."""
    if not isinstance(node, ast.Subscript) or not isinstance(node.slice, ast.Slice):
        return False
    end = node.slice.upper
    named = isinstance(end, ast.Name) and end.id.strip("_").isupper()
    counted = isinstance(end, ast.Constant) and isinstance(end.value, int) and end.value > 2
    return node.slice.lower is None and node.slice.step is None and (named or counted)


def _in_a_message(tree):
    """Nodes within f-strings and within the arguments of ``join``."""
    for node in ast.walk(tree):
        joins = isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "join"
        if joins and isinstance(node.func.value, ast.Constant) or isinstance(node, ast.JoinedStr):
            yield from ast.walk(node)


def second_implementations(text):
    found = [ast.unparse(node) for node in _in_a_message(ast.parse(text)) if _first_of_a_list(node)]
    return found + re.findall(r"and \{[^{}]*\} more\b", text)


@pytest.mark.parametrize(
    "code",
    ["f'{names[:5]}'", "', '.join(str(n) for n in names[:_SHOWN])", "f' and {n - 5} more'"],
)
def test_a_second_implementation_is_noticed(code):
    assert second_implementations(code)


def test_nobody_else_shortens_lists():
    texts = {path: path.read_text(encoding="utf-8") for path in SOURCES}
    found = {str(path.relative_to(ROOT)): second_implementations(t) for path, t in texts.items()}
    assert not {path: nodes for path, nodes in found.items() if nodes}


@pytest.mark.parametrize(
    "number, noun, text",
    [(1, "image", "1 image"), (0, "file", "0 files"), (2000, "identity", "2,000 identities")],
)
def test_a_number_with_its_noun(number, noun, text):
    assert several(number, noun) == text


def test_names_of_strangers_command_no_terminal():
    assert shorten(["a\x1b[31m\n", "x" * 400]) == "a [31m , " + "x" * 299 + "…"
