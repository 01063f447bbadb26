"""Compare the versions of other packages that are installed with those that are supported.

``import mmreid_ext`` works without PyTorch and the mm* packages: exported models need neither. The
rooms of :data:`NEED_ALL` need them, and say so before anything else when they are imported.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from mmreid_ext.errors import UserError
from mmreid_ext.version import release

PYTHON = (3, 10)

_PACKAGE = __name__.partition(".")[0]
NEED_ALL = frozenset(
    f"{_PACKAGE}.{room}"
    for room in (
        *("checkpoint", "registry", "models", "datasets", "evaluation"),
        *("engine", "visualization", "apis", "export"),
    )
)
"""Rooms that need PyTorch and the mm* packages."""


@dataclass(frozen=True)
class Requirement:
    """A package under any of its distribution names, and the versions of it that work.

    Args:
        names: Distribution names that provide it, the one to recommend first.
        minimum: First version that works; ``None`` if the package may be absent.
        below: First version that does not work.
        advice: What breaks otherwise. If given, the user is warned and the import goes on.
        beside: Distribution and version: the limit counts only beside an older release of it.
    """

    names: tuple[str, ...]
    minimum: str | None = None
    below: str | None = None
    advice: str = ""
    beside: tuple[str, str] | None = None

    @property
    def bounds(self) -> str:
        """The limits as pip writes them, for example ``>=0.10.4,<1.0.0``."""
        lower = f">={self.minimum}" if self.minimum else ""
        upper = f"<{self.below}" if self.below else ""
        return ",".join(filter(None, (lower, upper)))

    def admits(self, version: str) -> bool:
        """Return whether ``version`` lies within the limits."""
        if self.minimum is not None and release(version) < release(self.minimum):
            return False
        return self.below is None or release(version) < release(self.below)


REQUIREMENTS = (
    Requirement(("torch",), "2.1"),
    Requirement(("torchvision",), "0.16"),
    Requirement(("mmengine", "onedl-mmengine"), "0.10.4", "1.0"),
    Requirement(("mmcv-lite", "mmcv", "onedl-mmcv"), "2.0", "2.4"),
    Requirement(("mmpretrain", "onedl-mmpretrain"), "1.0", "2.0"),
    Requirement(
        ("numpy",),
        below="2.4",
        advice="mmpretrain 1.2's retrieval metrics use numpy.in1d, which is gone from later ones",
        beside=("mmpretrain", "1.3"),
    ),
    Requirement(
        ("setuptools",),
        below="81",
        advice="mmengine 0.10.7 and mim import pkg_resources, which is gone from later ones; "
        "'package::config' inheritance and mim fail without it",
        beside=("mmengine", "0.10.8"),
    ),
)


class UnsupportedEnvironmentError(UserError, ImportError):
    """Something installed here, or missing, that ``mmreid_ext`` cannot work with."""


class _Guard(MetaPathFinder):
    """Refuse the import of rooms that can't work here."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = problems

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Leave every other module to Python.

        Raises:
            UnsupportedEnvironmentError: If the module is one of :data:`NEED_ALL`.
        """
        if name in NEED_ALL:
            raise UnsupportedEnvironmentError(_listed(self.problems, name))
        return None


def check_environment() -> None:
    """Compare Python and the installed packages with what ``mmreid_ext`` works with.

    Imports none of them: MMPretrain's own check is a bare assertion in the middle of its import.
    Limits that break only a neighbour's feature give a warning. Missing packages and other versions
    of PyTorch and mm* stop the import of the rooms of :data:`NEED_ALL` and no other.

    Raises:
        UnsupportedEnvironmentError: If Python is too old. The rooms raise it later; it lists every
            problem with the package, the installed version, the needed one, and the pip command
            that puts it right.
    """
    errors, warned = find_problems(_installed_version, sys.version_info[:3])
    for problem in warned:
        warnings.warn(f"mmreid_ext: {problem}", stacklevel=3)
    if tuple(sys.version_info)[:2] < PYTHON:
        raise UnsupportedEnvironmentError(_listed(errors, _PACKAGE))
    sys.meta_path[:] = [one for one in sys.meta_path if not isinstance(one, _Guard)]
    if errors:
        sys.meta_path.insert(0, _Guard(errors))


def _listed(problems: Sequence[str], name: str) -> str:
    lines = [f"{name} cannot work in this environment:", *(f"  - {one}" for one in problems)]
    if name != _PACKAGE:
        lines.append(f"{_PACKAGE}.deploy, which runs exported models, needs none of these.")
    return "\n".join(lines)


def find_problems(
    version_of: Callable[[str], str | None], python: Sequence[int]
) -> tuple[list[str], list[str]]:
    """Compare an environment with :data:`REQUIREMENTS`.

    Args:
        version_of: Returns the installed version of a distribution, or ``None``.
        python: Version of the interpreter, as in ``sys.version_info``.

    Returns:
        Problems that make the package unusable, and problems worth a warning.
    """
    errors: list[str] = []
    warned: list[str] = []
    if tuple(python)[:2] < PYTHON:
        found, needed = (".".join(map(str, version)) for version in (python, PYTHON))
        errors.append(f"Python {found} is running; >={needed} is needed: make a new environment")
    for requirement in REQUIREMENTS:
        problem = _problem_with(requirement, version_of)
        if problem is not None:
            (warned if requirement.advice else errors).append(problem)
    return errors, warned


def _problem_with(requirement: Requirement, version_of: Callable[[str], str | None]) -> str | None:
    if requirement.beside is not None:
        neighbour = version_of(requirement.beside[0])
        if neighbour is None or release(neighbour) >= release(requirement.beside[1]):
            return None
    names, bounds = requirement.names, requirement.bounds
    installed = {name: version for name in names if (version := version_of(name)) is not None}
    if not installed and requirement.minimum is not None:
        remedy = f'pip install "{names[0]}{bounds}"'
        return f"{' or '.join(names)} is not installed; {bounds} is needed: {remedy}"
    for name, version in installed.items():
        if not requirement.admits(version):
            reason = f" ({requirement.advice})" if requirement.advice else ""
            remedy = f'pip install "{name}{bounds}"'
            return f"{name} {version} is installed; {bounds} is needed{reason}: {remedy}"
    return None


def _installed_version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
