"""Build what is published, as a stranger gets it, and install it."""

from __future__ import annotations

import os
import shutil
import tarfile
from pathlib import Path

from .environment import ROOT, Environment

NOT_SOURCES = (
    *(".git", ".venv*", ".mim", ".*_cache", "__pycache__", "*.egg-info"),
    *("build", "dist", "data", "work_dirs"),
)


def install_package(environment: Environment, work: Path) -> Path:
    """Install the wheel that the source distribution builds; return that distribution, unpacked.

    Both are checked as a package index would. pip puts openmim's old setuptools and the mm*
    packages beside one another by the extra ``mim``.

    Args:
        environment: Gets ``build``, ``twine`` and the wheel.
        work: Folder for copies.

    Raises:
        StepFailed: If a build, a check or the installation fails.
    """
    source, made = work / "source", work / "made"
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(*NOT_SOURCES))
    environment.pip("build", "twine")
    python = environment.python
    address = os.environ.get("MMREID_REPOSITORY", "https://example.org/mmreid_ext")
    environment.run(  # the wheel from the source distribution, not from the sources
        [python, "-m", "build", "--outdir", str(made)], source, MMREID_REPOSITORY=address
    )
    files = sorted(made.iterdir())
    environment.run([python, "-m", "twine", "check", "--strict", *map(str, files)])
    archive, wheel = files[0], files[1]
    if wheel.suffix != ".whl":
        archive, wheel = wheel, archive
    environment.pip("--force-reinstall", "--no-deps", str(wheel))
    environment.pip(f"{wheel}[mim]", "setuptools>=77.0.3,<81")
    unpacked = work / "unpacked"
    with tarfile.open(archive) as packed:
        packed.extractall(unpacked, filter="data")
    (folder,) = unpacked.iterdir()
    return folder
