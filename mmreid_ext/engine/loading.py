"""Load training images: the loader of this rank, where it starts, and how it ends."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from mmengine.runner import Runner
from mmengine.runner.loops import _InfiniteDataloaderIterator
from torch.utils.data import DataLoader

from mmreid_ext.datasets.wrappers import refuse_wrappers
from mmreid_ext.distributed import get_world_size
from mmreid_ext.engine.settings.before_data import check_sampler
from mmreid_ext.engine.settings.idle_settings import check_complete
from mmreid_ext.engine.settings.loader_settings import rank_settings
from mmreid_ext.engine.settings.plain_norms import check_plain_norms
from mmreid_ext.output_files.loading_folder import share_loading_folder
from mmreid_ext.registry import LOOPS

from .training_steps import shared_seed


@runtime_checkable
class Seekable(Protocol):
    """Sampler that can begin at any batch without drawing the earlier ones."""

    def set_start(self, iteration: int) -> None:
        """Let the next ``iter()`` begin at a 0-based batch."""


def of_this_rank(
    runner: Runner, dataloader: dict | DataLoader, name: str = "train_dataloader"
) -> dict | DataLoader:
    """Return the settings of a training loader for this rank; see :func:`rank_settings`.

    Its processes will share one temporary folder.

    Raises:
        UserError: If its data set would merge people, or a setting can't be used.
    """
    share_loading_folder()
    if isinstance(dataloader, dict):
        refuse_wrappers(dataloader.get("dataset"), f"{name}.dataset")
    is_global = bool(runner.cfg.get("batch_size_is_global"))
    loader = rank_settings(dataloader, is_global, get_world_size(), name)
    if isinstance(loader, dict) and isinstance(loader.get("sampler"), dict):
        # With diff_rank_seed MMEngine gives samplers no seed: they would draw one for each run.
        loader["sampler"] = {"seed": shared_seed(runner), **loader["sampler"]}
        check_sampler(loader["sampler"])
    return loader


def ready_for_other_loop(runner: Runner) -> None:
    """Do for a training loop that isn't ours what ours do before they read data.

    Raises:
        UserError: If the images of training would merge people, or a validation would leave some
            out.
    """
    runner._train_dataloader = of_this_rank(runner, runner._train_dataloader)
    check_complete(runner._val_dataloader, "val_dataloader")
    check_plain_norms(runner)


def shares_batches(loop: Any) -> bool:
    """Whether a training loop, built or as it is configured, shares a global batch by itself."""
    if isinstance(loop, dict):
        loop = loop.get("type")
    if isinstance(loop, str):
        loop = LOOPS.get(loop)
    return bool(getattr(loop, "shares_batches", False))


def start_at(dataloader: DataLoader, batches: int) -> _InfiniteDataloaderIterator:
    """Iterate over ``dataloader`` from its ``batches``-th batch on, without loading earlier ones.

    Samplers without ``set_start`` (not ours) are advanced as MMEngine does it, by loading.
    """
    sampler, skipped = dataloader.sampler, batches
    if isinstance(sampler, Seekable):
        sampler.set_start(batches)
        skipped = 0
    iterator = _InfiniteDataloaderIterator(dataloader)
    for _ in range(skipped):
        next(iterator)
    return iterator


def stop_workers(dataloader: DataLoader) -> None:
    """End the processes that a loader keeps between its epochs.

    The garbage collector takes away the pipes to them first, and then waits five seconds for each.
    """
    dataloader._iterator = None
