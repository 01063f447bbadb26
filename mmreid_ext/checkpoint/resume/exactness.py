"""Refuse to resume a run that would not continue as the interrupted one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.hooks import EarlyStoppingHook, EMAHook
from mmengine.logging import print_log
from mmengine.runner import BaseLoop, Runner

from mmreid_ext.checkpoint.warning import warn
from mmreid_ext.distributed import get_world_size
from mmreid_ext.errors import UserError
from mmreid_ext.shorten import shorten

from .best_file import ready_best
from .meta import own_message_hub, require_expected_meta
from .restored_state import End, optimizer_changes, schedule_changes
from .run_record import KEY, changes, describe_run
from .stored_states import require_averages, require_optimizer_state, require_schedule_states

_COUNTS = ("iter", "epoch")

_NEW_RUN = (
    "A resumed run goes on as it was. Take the settings of the checkpoint's run, or start a new "
    "run from its weights: `load_from` without `resume`, in another work_dir."
)


class Resuming:
    """A call of ``Runner.resume`` that is under way."""

    def __init__(self, runner: Runner, filename: str, optimizer: bool, schedules: bool) -> None:
        self.runner, self.filename = runner, str(filename)
        self.optimizer, self.schedules = optimizer, schedules
        self.ends: list[End] = []
        self.record: Mapping[str, Any] | None = None


def require_exact(resuming: Resuming, checkpoint: dict) -> None:
    """Refuse a checkpoint from which the run would go on otherwise than it would have.

    Raises:
        UserError: If it lacks a part, or if the settings differ.
    """
    runner = resuming.runner
    loop = runner.train_loop
    _require_plain(resuming.filename, checkpoint)
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    if runner.param_schedulers is not None:
        runner.param_schedulers = runner.build_param_scheduler(runner.param_schedulers)
    _require_parts(resuming, checkpoint)
    if resuming.optimizer:
        state, wrapper = checkpoint["optimizer"], runner.optim_wrapper
        require_optimizer_state(resuming.filename, state, wrapper, "optimizer")
    meta = checkpoint["meta"]
    resuming.record = meta.get(KEY)
    _require_length(resuming, meta, loop)
    _require_settings(resuming, checkpoint)
    _require_whole_step(resuming, meta["iter"])
    ready_best(runner, checkpoint["message_hub"], resuming.record)
    if any(isinstance(hook, EarlyStoppingHook) for hook in runner.hooks):
        warn("resume: EarlyStoppingHook counts from 0 again; MMEngine does not store its count.")


def _require_plain(filename: str, checkpoint: dict) -> None:
    """What is there must be what a run writes; MMEngine would believe it."""
    if "meta" in checkpoint:
        require_expected_meta(filename, checkpoint["meta"])
    if "message_hub" in checkpoint:
        own_message_hub(filename, checkpoint)
    if "param_schedulers" in checkpoint:
        require_schedule_states(filename, checkpoint["param_schedulers"])
    if "ema_state_dict" in checkpoint:
        require_averages(filename, checkpoint["ema_state_dict"], checkpoint["state_dict"])


def _require_parts(resuming: Resuming, checkpoint: Mapping) -> None:
    meta = checkpoint.get("meta")
    progress = isinstance(meta, Mapping) and all(k in meta for k in _COUNTS)
    needed = {"state_dict": True, "message_hub": True, "optimizer": resuming.optimizer}
    needed["param_schedulers"] = resuming.schedules and bool(resuming.runner.param_schedulers)
    needed["ema_state_dict"] = any(isinstance(h, EMAHook) for h in resuming.runner.hooks)
    missing = [name for name, wanted in needed.items() if wanted and name not in checkpoint]
    missing += [] if progress else ["meta with iter and epoch"]
    refuse_without(resuming.filename, missing)


def refuse_without(filename: str, missing: list[str]) -> None:
    """Raise UserError if a file lacks parts of a run."""
    if missing:
        raise UserError(
            f"resume: {filename} holds no {', no '.join(missing)}. Such files (best_*.pth, "
            "published weights) are there to be tested. Resume from one that was written every "
            "interval (iter_*.pth, epoch_*.pth), or start a new run from its weights: `load_from` "
            "without `resume`."
        )


def _require_length(resuming: Resuming, meta: Mapping, loop: BaseLoop) -> None:
    done, whole = meta["iter"], loop.max_iters
    if done > whole:
        raise UserError(
            f"resume: {resuming.filename} was written after iteration {done}, this run ends at "
            f"{whole}: give the length that the run was begun with (--iters, --epochs), raise "
            "train_cfg.max_iters (or max_epochs), or resume from an earlier checkpoint."
        )
    if done == whole:
        warn(
            f"resume: {resuming.filename} is the end of the run (iteration {done} of {whole}); "
            "nothing is left to train. "
            "--iters (--epochs) begins a longer run in another --work-dir. "
            "A higher train_cfg.max_iters (or max_epochs) continues this one, "
            "if its schedules don't end here, too."
        )


def _require_settings(resuming: Resuming, checkpoint: Mapping) -> None:
    runner, meta = resuming.runner, checkpoint["meta"]
    now = describe_run(runner)
    found: list[str] = []
    if resuming.record is not None and now is not None:
        found += changes(resuming.record["decides"], now["decides"])
    if resuming.optimizer and not any("type was" in text for text in found):
        found += optimizer_changes(checkpoint["optimizer"], runner.optim_wrapper.state_dict())
    if resuming.schedules:
        before = checkpoint.get("param_schedulers")
        differences, resuming.ends = schedule_changes(before, runner.param_schedulers)
        found += differences
    if "ema_state_dict" in checkpoint and not any(isinstance(h, EMAHook) for h in runner.hooks):
        found.append("EMAHook: the run averaged its weights, this one doesn't")
    seed = runner._randomness_cfg.get("seed")
    if seed is not None and meta.get("seed") not in (None, seed):
        found.append(f"randomness.seed (--seed) was {meta['seed']}, is {seed}")
    if found:
        raise UserError(
            f"resume: {resuming.filename} is of another run: {shorten(found, '; ')}. {_NEW_RUN}"
        )
    if resuming.record is not None and now is not None:
        _report_changes(resuming.record, now)


def _report_changes(record: Mapping, now: Mapping) -> None:
    before, after = record["reported"], now["reported"]
    parts = {_part(name) for name in before} & {_part(name) for name in after}
    both = [{k: v for k, v in some.items() if _part(k) in parts} for some in (before, after)]
    differences = changes(*both)
    if differences:
        warn(
            f"resume: settings have changed since the checkpoint was written, "
            f"{shorten(differences, '; ')}; the run goes on with the new ones, and is not the one "
            "that was interrupted."
        )
    if record["world_size"] != get_world_size():
        print_log(
            f"resume: {record['world_size']} ranks wrote the checkpoint, {get_world_size()} go on; "
            "the global batch is the same, results differ by rounding.",
            logger="current",
        )


def _part(name: str) -> str:
    return name.partition(".")[0]


def _require_whole_step(resuming: Resuming, iteration: int) -> None:
    counts = getattr(resuming.runner.optim_wrapper, "_accumulative_counts", 1)
    if resuming.optimizer and iteration % counts:
        raise UserError(
            f"resume: {resuming.filename} was written after iteration {iteration}, between two "
            f"steps of the optimiser (accumulative_counts={counts}): "
            f"the gradients collected since are not in it. Resume from a multiple of {counts}, "
            "and let default_hooks.checkpoint.interval be one."
        )
