"""Types are checked with our settings, and callers find them."""

import shutil
import subprocess
import sys

import pytest
from helpers.paths import ROOT


@pytest.mark.skipif(sys.version_info < (3, 11), reason="mypy reads NumPy's stubs as 3.11 does")
@pytest.mark.parametrize("types", [(": int", " -> int"), ("", "")], ids=["typed", "untyped"])
def test_a_definition_without_types_is_an_error(tmp_path, types):
    package = tmp_path / "mmreid_ext"
    package.mkdir()
    (package / "__init__.py").write_text(f"def double(x{types[0]}){types[1]}:\n    return 2 * x\n")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    command = [sys.executable, "-m", "mypy"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (result.returncode == 0) == bool(types[0]), result.stdout + result.stderr
    assert ("missing a type annotation" in result.stdout) != bool(types[0])


def test_types_are_checked_with_every_change():
    assert '"$python" -m mypy' in (ROOT / ".ci" / "checks").read_text()
    assert "bash .ci/checks" in (ROOT / ".ci" / "run").read_text()
