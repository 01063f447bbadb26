"""Makes the environment of a stack, or takes up the one that is there."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from .definitions import Stack
from .rows import VERSIONS

ROOT = Path(__file__).resolve().parents[3]
STAMP = "mmreid_ext.stack"
ASTRAY = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
"""Variables that would lead an environment to the packages of another."""
ASK = """
import json, platform, sys
from importlib import metadata
names = {name: [name, "onedl-" + name, name + "-lite"] for name in sys.argv[1:]}
found = {}
for name, others in names.items():
    for other in others:
        try:
            shown = metadata.version(other)
        except metadata.PackageNotFoundError:
            continue
        found[name] = shown + (" (OneDL)" if other.startswith("onedl-") else "")
print(json.dumps([platform.python_version(), found]))
"""


class StepFailed(Exception):
    """A command ended with an error, which the log shows."""


class Environment:
    """A folder with an interpreter, and what was installed into it.

    Args:
        folder: Is made if it isn't there.
        log: File that gets what commands say.
    """

    def __init__(self, folder: Path, log: Path) -> None:
        self.folder, self.log = folder, log
        self.python = str(folder / ("Scripts" if os.name == "nt" else "bin") / "python")

    def prepare(self, stack: Stack, interpreter: str) -> None:
        """Install what the stack asks for, unless that was done and nothing newer is wanted.

        Raises:
            StepFailed: If a version isn't there or doesn't install.
        """
        stamp = self.folder / STAMP
        wanted = _fingerprint(stack, interpreter)
        ready = stamp.is_file() and stamp.read_text() == wanted
        if ready and not stack.newest:
            return
        if not ready:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.run([interpreter, "-m", "venv", str(self.folder)])
            self.pip("--upgrade", "pip")
        newest = ("--upgrade", "--upgrade-strategy", "eager") if stack.newest else ()
        self.pip(*newest, *stack.install)
        stamp.write_text(wanted)

    def pip(self, *arguments: str) -> None:
        """Call ``pip install``, five tries for each file; of mmcv without its operators.

        Nothing here uses these, and to compile them takes long.
        """
        options = ("--disable-pip-version-check", "--retries", "5", "--progress-bar", "off")
        self.run([self.python, "-m", "pip", "install", *options, *arguments], MMCV_WITH_OPS="0")

    def run(self, command: Sequence[str], cwd: Path = ROOT, check: bool = True, **env: str) -> int:
        """Run a command, its words in the log.

        Raises:
            StepFailed: If it ends with an error and ``check`` is true.
        """
        with open(self.log, "a", encoding="utf-8") as log:
            log.write(f"\n$ {' '.join(command)}\n")
            log.flush()
            variables = {n: v for n, v in os.environ.items() if n not in ASTRAY} | env
            done = subprocess.run(
                command, cwd=cwd, env=variables, stdout=log, stderr=subprocess.STDOUT
            )
        if check and done.returncode:
            words = " ".join(islice(command, 4))
            raise StepFailed(f"{words} … ended with {done.returncode}")
        return done.returncode

    def versions(self) -> tuple[str, dict[str, str]]:
        """Return the version of Python, and those of the table's packages."""
        asked = [self.python, "-c", ASK, *VERSIONS]
        variables = {n: v for n, v in os.environ.items() if n not in ASTRAY}
        told = subprocess.check_output(asked, cwd=self.folder, env=variables, text=True)
        python, found = json.loads(told)
        return python, found


def _fingerprint(stack: Stack, interpreter: str) -> str:
    files = [ROOT / word for word in stack.install if word.startswith("requirements/")]
    text = [interpreter, *stack.install, *(path.read_text() for path in files)]
    return hashlib.sha256("\n".join(text).encode()).hexdigest()
