"""Every message of docs/troubleshooting.md is one that the code can print."""

import ast
import re

import pytest
from helpers.paths import ROOT

VALUE = "\0"  # in the place of what a message is filled with
LINES = [
    line
    for block in re.findall(
        r"(?ms)^```text\n(.*?)^```", (ROOT / "docs" / "troubleshooting.md").read_text()
    )
    for line in block.splitlines()
]
LEAST = 18  # signs of fixed text that make a message recognisable


def texts(source):
    """Yield the text of every literal of a module, with :data:`VALUE` where it is filled in."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            parts = node.values
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            parts = [node]
        else:
            continue
        yield "".join(p.value if isinstance(p, ast.Constant) else VALUE for p in parts)


@pytest.fixture(scope="module")
def templates():
    """Lines of messages in the code: the longest fixed text, and a pattern of the whole."""
    found = {}
    for path in (ROOT / "mmreid_ext").rglob("*.py"):
        if ".mim" not in path.parts:
            for text in texts(path.read_text()):
                for line in text.split("\n"):
                    fixed = max(line.split(VALUE), key=len)
                    if len(line.replace(VALUE, "")) >= LEAST:
                        found[line] = fixed
    return found


def known(message, templates):
    """Whether all fixed text of a message's line comes from one literal of the code."""
    for line, fixed in templates.items():
        if fixed.strip() in message and re.search(
            ".*".join(re.escape(part) for part in line.strip().split(VALUE)), message
        ):
            return True
    return False


@pytest.mark.parametrize("line", LINES, ids=range(len(LINES)))
def test_the_code_can_print_it(line, templates):
    if len(line) >= LEAST and not line.startswith("  "):  # indented: values in their own lines
        assert known(line, templates)


def test_another_wording_is_noticed(templates):
    assert len(LINES) >= 30
    message = next(line for line in LINES if line.startswith("Port 8000"))
    assert known(message, templates)
    assert not known(message.replace("is taken by", "is used by"), templates)
