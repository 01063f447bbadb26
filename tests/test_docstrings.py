"""Docstrings say what a module does or holds, not what it is about."""

import ast
import re

from helpers.paths import ROOT

FILES = [p for p in sorted((ROOT / "mmreid_ext").rglob("*.py")) if ".mim" not in p.parts]
QUESTION = re.compile(r"(What|Who|Where|How|Which|Whether|When|Why)\b")


def test_no_module_begins_with_a_question():
    first = {}
    for path in FILES:
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        first[path.relative_to(ROOT).as_posix()] = text.partition("\n")[0]
    assert len(first) > 200
    assert not {path: line for path, line in first.items() if QUESTION.match(line)}
