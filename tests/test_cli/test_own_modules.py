"""A user's own module is imported by name or by file, and says what is wrong with it."""

import sys

import pytest

from mmreid_ext.cli.own_modules import import_own
from mmreid_ext.errors import MissingFileError, UserError

RULES = """
from dataclasses import dataclass
from mmreid_ext.protocols import Split
from mmreid_ext.registry import PROTOCOLS
from mmreid_ext.protocols import CameraProtocol

@PROTOCOLS.register_module()
@dataclass(frozen=True)
class OwnRules{number}(CameraProtocol):
    pass
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Whatever is imported here is forgotten afterwards."""
    from mmreid_ext.protocols import named

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(named, "_NAMED", dict(named._NAMED))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_by_name_from_the_current_folder_and_by_file(tmp_path):
    (tmp_path / "own_rules_a.py").write_text(RULES.format(number=1))
    folder = tmp_path / "deep" / "er"
    folder.mkdir(parents=True)
    (folder / "own_rules_b.py").write_text("import own_neighbour\n" + RULES.format(number=2))
    (folder / "own_neighbour.py").write_text("")
    first, second = import_own(["own_rules_a", "deep/er/own_rules_b.py"])
    assert first.OwnRules1 and second.OwnRules2
    assert sys.modules["own_rules_b"] is second


def test_nothing_is_imported_twice(tmp_path):
    file = tmp_path / "own_rules_c.py"
    file.write_text(RULES.format(number=3))
    once, again, by_path = import_own(["own_rules_c", "own_rules_c.py", str(file)])
    assert once is again is by_path


def test_a_file_never_hides_a_module(tmp_path):
    (tmp_path / "json.py").write_text("X = 7\n")
    (module,) = import_own(["./json.py"])
    assert module.X == 7 and sys.modules["json"] is not module


@pytest.mark.parametrize(
    "name, words",
    [
        ("no_such_rules", "--import no_such_rules: there is no module 'no_such_rules'; give"),
        ("own_pack.rules", "there is no module 'own_pack'"),
        ("no_such_rules.py", "--import no_such_rules.py: there is no such file"),
        ("broken_rules", "--import broken_rules: ZeroDivisionError: "),
        ("broken_rules.py", "--import broken_rules.py: ZeroDivisionError: "),
        ("needing_rules", "--import needing_rules: ModuleNotFoundError: .*no_such_package"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, name, words):
    (tmp_path / "broken_rules.py").write_text("1 / 0\n")
    (tmp_path / "needing_rules.py").write_text("import no_such_package\n")
    with pytest.raises(UserError, match=words) as caught:
        import_own([name])
    assert isinstance(caught.value, MissingFileError) == ("no such file" in str(caught.value))
    assert "broken_rules" not in sys.modules
