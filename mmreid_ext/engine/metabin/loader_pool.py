"""Build the loaders of MetaBIN's base and meta batches, with one pool of workers if possible."""

from __future__ import annotations

from functools import partial
from typing import cast

from mmengine.dataset import worker_init_fn
from mmengine.runner import Runner
from torch.utils.data import BatchSampler, DataLoader, Dataset

from mmreid_ext.distributed import get_rank
from mmreid_ext.engine.loading import of_this_rank
from mmreid_ext.engine.settings.before_data import check_preprocessor
from mmreid_ext.engine.training_steps import shared_seed
from mmreid_ext.registry import DATA_SAMPLERS

from .alternating_batches import AlternatingBatches

_OF_ITS_OWN = {"batch_size", "sampler", "drop_last", "num_workers"}


def build_loaders(
    runner: Runner,
    base_settings: dict | DataLoader,
    meta_settings: dict | DataLoader,
    first_base_steps: int,
) -> tuple[DataLoader, DataLoader]:
    """Build the loader of the base batches and that of the meta batches.

    If one pool of workers can load both, the second loader is that pool and hands out the batches
    of both kinds in turn; the first then has no workers. No process starts here.

    Args:
        runner: The runner.
        base_settings: Base loader, or its settings in the configuration.
        meta_settings: Meta loader, or its settings in the configuration.
        first_base_steps: Base batches of the first iteration.

    Raises:
        UserError: If the model would drop augmentations of meta batches.
    """
    check_preprocessor(runner.model, meta_settings)
    seed = shared_seed(runner)
    of_meta = of_this_rank(runner, meta_settings, "train_cfg.meta_dataloader")
    if (
        isinstance(base_settings, dict)
        and isinstance(of_meta, dict)
        and can_share(base_settings, of_meta)
    ):
        of_base = of_this_rank(runner, without_workers(base_settings))
        base = runner.build_dataloader(of_base, seed=seed)
        return base, build_loader_pool(base, base_settings, of_meta, first_base_steps, seed)
    base = runner.build_dataloader(of_this_rank(runner, base_settings), seed=seed)
    if isinstance(of_meta, dict):
        of_meta = {"dataset": base.dataset, **of_meta}
    return base, runner.build_dataloader(of_meta, seed=seed)


def can_share(base_settings: dict, meta_settings: dict) -> bool:
    """Whether one pool can load both: the same data set, collated and handed over alike."""
    return all(
        key in base_settings and base_settings[key] == value
        for key, value in meta_settings.items()
        if key not in _OF_ITS_OWN
    )


def without_workers(settings: dict) -> dict:
    """Settings of a loader that starts no process: it holds data set and sampler only."""
    settings = dict(settings, num_workers=0, persistent_workers=False)
    settings.pop("prefetch_factor", None)
    return settings


def build_loader_pool(
    base: DataLoader, base_settings: dict, meta_settings: dict, first_base_batches: int, seed: int
) -> DataLoader:
    """Loader whose batches are base and meta batches in turn.

    Two loaders of W workers each would leave those of the one idle while an iteration waits for the
    other, and hold the list of images twice.

    Args:
        base: Loader of the base batches, without workers; its data set, sampler, collation and
            pinning are those of the pool.
        base_settings: Its settings in the configuration: the number of workers, what they prefetch.
        meta_settings: ``batch_size`` and ``sampler`` of the meta batches; ``num_workers`` come on
            top of the base loader's.
        first_base_batches: Base batches of the first iteration.
        seed: Seed of the run.
    """
    meta = _build_batches(meta_settings, base.dataset, seed)
    of_base = cast(BatchSampler, base.batch_sampler)  # its settings name a sampler
    workers = base_settings.get("num_workers", 0) + meta_settings.get("num_workers", 0)
    return DataLoader(
        base.dataset,
        batch_sampler=AlternatingBatches(of_base, meta, first_base_batches),
        num_workers=workers,
        collate_fn=base.collate_fn,
        pin_memory=base.pin_memory,
        timeout=base.timeout,
        worker_init_fn=partial(
            worker_init_fn,
            num_workers=workers,
            rank=get_rank(),
            seed=seed,
            disable_subprocess_warning=base_settings.get("disable_subprocess_warning", False),
        ),
        prefetch_factor=base_settings.get("prefetch_factor"),
        persistent_workers=workers > 0 and base_settings.get("persistent_workers", False),
    )


def _build_batches(settings: dict, dataset: Dataset, seed: int) -> BatchSampler:
    sampler = DATA_SAMPLERS.build(
        settings["sampler"], default_args=dict(dataset=dataset, seed=seed)
    )
    return BatchSampler(sampler, settings["batch_size"], settings.get("drop_last", False))
