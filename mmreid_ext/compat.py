"""All that depends on the versions of other packages: what is supported, and what is mended.

:func:`check_environment` reads package metadata only and runs when ``mmreid_ext`` is imported.
:func:`enable_safe_checkpoints` changes MMEngine and runs when ``mmreid_ext.registry`` is imported,
that is, as soon as anything of the package is built, from a command line or from Python.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from importlib import import_module, metadata
from typing import Any

from mmreid_ext.errors import UserError
from mmreid_ext.version import release

PYTHON = (3, 10)


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


def check_environment() -> None:
    """Raise if Python or an installed package is one that does not work with ``mmreid_ext``.

    Imports none of them: MMPretrain's own check is a bare assertion in the middle of its import.
    Limits that break only a neighbour's feature give a warning instead.

    Raises:
        UnsupportedEnvironmentError: Lists every problem with the package, the installed version,
            the needed one, and the pip command that puts it right.
    """
    errors, warned = find_problems(_installed_version, sys.version_info[:3])
    for problem in warned:
        warnings.warn(f"mmreid_ext: {problem}", stacklevel=3)
    if errors:
        raise UnsupportedEnvironmentError(
            "mmreid_ext cannot work in this environment:\n  - " + "\n  - ".join(errors)
        )


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


def enable_safe_checkpoints() -> None:
    """Make MMEngine treat checkpoints as data, and never lose the last one to a crash.

    - Every load (``--resume``, ``load_from``, ``load_checkpoint``; from disk, HTTP or an object
      store) goes through :func:`mmreid_ext.checkpoint.safe_load`: an allow-list and no way round
      it.
    - Every save holds plain types only, which any ``torch.load(weights_only=True)`` reads.
    - Local checkpoint files and ``last_checkpoint`` are replaced atomically. The checkpoint that
      ``max_keep_ckpts`` or a new best makes superfluous goes after the new one is on disk, not
      before.

    Upstream MMEngine 0.10.7 cannot resume on torch 2.6 and later without this. A second call does
    nothing.
    """
    from mmengine.runner import checkpoint as mm_checkpoint

    from mmreid_ext.checkpoint import mmengine_io

    if not isinstance(mm_checkpoint.torch, mmengine_io.TorchForCheckpoints):
        mmengine_io.install(mm_checkpoint)


def let_hooks_be_switched_off() -> None:
    """Let ``default_hooks = dict(NAME=None)`` leave out any hook, not only MMEngine's own.

    MMEngine takes None for its own hooks only. A second call does nothing.
    """
    from mmengine.runner import Runner

    register = Runner.register_default_hooks
    if hasattr(register, "__wrapped__"):
        return

    @wraps(register)
    def without_others(runner: Runner, hooks: dict | None = None) -> None:
        kept = {n: h for n, h in (hooks or {}).items() if h is not None or n in MMENGINES_HOOKS}
        register(runner, kept)

    Runner.register_default_hooks = without_others


MMENGINES_HOOKS = {"runtime_info", "timer", "sampler_seed"}
MMENGINES_HOOKS |= {"logger", "param_scheduler", "checkpoint"}


def share_batches_of_every_loop() -> None:
    """Give training loops that aren't ours their rank's share of a global batch.

    MMEngine's take ``batch_size`` as it is written; ours divide it. A second call does nothing.
    """
    from mmengine.runner import Runner

    build = Runner.build_train_loop
    if hasattr(build, "__wrapped__"):
        return

    @wraps(build)
    def with_share(runner: Runner, loop: Any) -> Any:
        # By name, as registries find their modules: the ground imports no upper floor.
        loading = import_module("mmreid_ext.engine.loading")
        if isinstance(loop, dict) and not loading.shares_batches(loop):
            loading.ready_for_other_loop(runner)
        built = build(runner, loop)
        # `auto_scale_lr` multiplies the batch size that it finds here by the number of ranks.
        runner._train_dataloader = getattr(built, "dataloader", runner._train_dataloader)
        return built

    Runner.build_train_loop = with_share


def silence_known_warnings() -> None:
    """Ignore what mmcv-lite says at every start: it lacks an operator, which nothing here uses."""
    warnings.filterwarnings("ignore", message="Fail to import ``MultiScaleDeformableAttention``")


@contextmanager
def tracing_paused() -> Iterator[None]:
    """Keep what is computed inside out of a TorchScript trace: it becomes a constant of it.

    PyTorch has no public name for it.
    """
    import torch

    core: Any = torch._C  # whose published types lack the setter
    state = core._get_tracing_state()
    core._set_tracing_state(None)
    try:
        yield
    finally:
        core._set_tracing_state(state)
