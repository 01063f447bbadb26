"""The tests mirror the package: whoever looks for the test of a module finds it in one guess."""

import ast
from pathlib import PurePosixPath

from helpers.paths import ROOT

PACKAGE, TESTS = ROOT / "mmreid_ext", ROOT / "tests"


def has_logic(text):
    """Whether a module defines a function or a class."""
    return any(isinstance(node, (ast.FunctionDef, ast.ClassDef)) for node in ast.parse(text).body)


def mirrored(module):
    """Where the test of a module stands, both relative."""
    path = PurePosixPath(module)
    return PurePosixPath(*(f"test_{folder}" for folder in path.parent.parts), f"test_{path.name}")


def test_the_place_of_a_test():
    assert str(mirrored("models/norms/hold.py")) == "test_models/test_norms/test_hold.py"
    assert str(mirrored("errors.py")) == "test_errors.py"
    assert has_logic("def a(): pass") and not has_logic("A = 1\n")


def test_every_module_with_logic_has_a_test_of_its_name():
    modules = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if path.name != "__init__.py" and ".mim" not in path.parts and has_logic(path.read_text())
    }
    assert [name for name in sorted(modules) if not (TESTS / mirrored(name)).is_file()] == []
