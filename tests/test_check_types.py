"""The check of types: clean rooms stay clean, the number of other errors only falls."""

import shutil
import subprocess
import sys

import pytest
from helpers.paths import ROOT
from helpers.tools import load_script

SCRIPT = ROOT / ".ci" / "check_types.py"


@pytest.fixture(scope="module")
def check():
    return load_script(SCRIPT)


def _errors(*places):
    lines = [f'mmreid_ext/{place}: error: "int" not callable  [operator]' for place in places]
    return "\n".join([*lines, f"Found {len(lines)} errors in 2 files (checked 9 source files)"])


def test_an_error_in_a_clean_room_fails(check):
    for place in ("protocols/named.py:3", "distributed.py:8", "models/norms/kernels/nchw.py:1"):
        passes, message = check.judge(_errors(place, "compat.py:1"), allowed=9)
        assert not passes
        assert message.startswith(f"mmreid_ext/{place}: error") and "1 type errors" in message


def test_the_number_of_other_errors_only_falls(check):
    output = _errors("compat.py:1", "registry.py:2", "version.py:3")
    assert check.judge(output, allowed=3) == (True, "Types: 3 errors, 3 allowed.")
    passes, message = check.judge(output, allowed=2)
    assert not passes and "compat.py:1" in message and "2 are allowed" in message
    passes, message = check.judge(output, allowed=5)
    assert passes and "Lower ALLOWED in .ci/check_types.py to 3" in message


def test_notes_are_no_errors_and_a_crash_is_no_success(check):
    output = "mmreid_ext/cli/a.py:1: note: see\nSuccess: no issues found in 9 source files"
    assert check.judge(output, allowed=0) == (True, "Types: 0 errors, 0 allowed.")
    passes, message = check.judge("No module named mypy", allowed=0)
    assert not passes and "No module named mypy" in message


def test_clean_rooms_exist(check):
    assert [room for room in check.CLEAN if not (ROOT / "mmreid_ext" / room).exists()] == []


@pytest.mark.skipif(sys.version_info < (3, 11), reason="types are checked on Python 3.11")
@pytest.mark.parametrize("annotated", [True, False])
def test_mypy_is_run_with_our_settings(tmp_path, annotated):
    """A definition without types is an error, and the exit status says so."""
    package = tmp_path / "mmreid_ext" / "protocols"
    package.mkdir(parents=True)
    for folder in (package.parent, package):
        (folder / "__init__.py").touch()
    types = (": int", " -> int") if annotated else ("", "")
    (package / "a.py").write_text(f"def double(x{types[0]}){types[1]}:\n    return 2 * x\n")
    (tmp_path / ".ci").mkdir()
    shutil.copy(SCRIPT, tmp_path / ".ci")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    result = subprocess.run(
        [sys.executable, ".ci/check_types.py"], cwd=tmp_path, capture_output=True, text=True
    )
    assert result.returncode == (0 if annotated else 1), result.stdout + result.stderr
    assert ("Function is missing a type annotation" in result.stdout) != annotated
