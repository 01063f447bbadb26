"""Mend other packages, each time until a release of theirs makes it superfluous."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from importlib import import_module
from typing import Any


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
