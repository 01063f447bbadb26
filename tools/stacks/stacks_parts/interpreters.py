"""Find interpreters of Python, wherever a machine keeps them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

ASK = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"
"""What an interpreter must be able to do; Debian's lacks the latter two without python3-venv."""


def find_interpreter(versions: Iterable[str]) -> str | None:
    """Return the command of the first version that there is, ``None`` without any.

    Args:
        versions: As in ``3.12``, in the order of preference.
    """
    for version in versions:
        for command in candidates(version):
            if answers(command, version):
                return command
    return None


def candidates(version: str) -> Iterator[str]:
    """Yield places where that version may be: PATH, pyenv, uv."""
    found = shutil.which(f"python{version}")
    if found:
        yield found
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    for folder in sorted(pyenv.glob(f"{version}.*"), reverse=True):
        yield str(folder / "bin" / "python")
    if shutil.which("uv"):
        asked = ["uv", "python", "find", "--no-python-downloads", version]
        told = subprocess.run(asked, capture_output=True, text=True)
        if told.returncode == 0:
            yield told.stdout.strip()


def answers(command: str, version: str) -> bool:
    """Return whether it runs, is that version and can make environments.

    pyenv puts a ``python3.12`` on PATH that fails where 3.12 isn't chosen.
    """
    try:
        told = subprocess.run([command, "-c", ASK], capture_output=True, text=True)
    except OSError:
        return False
    return told.returncode == 0 and told.stdout.strip() == version
