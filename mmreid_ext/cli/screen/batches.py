"""Count the images of an iteration."""

from __future__ import annotations

from torch.utils.data import DataLoader

from mmreid_ext.engine.metabin.metabin_loop import MetaBINTrainLoop


def batch_sizes(loop: object) -> list[int]:
    """Return the images of this rank in an iteration, of each kind of batch; empty if unknown.

    Args:
        loop: A training loop.
    """
    sizes = [_batch_size(getattr(loop, "dataloader", None))]
    if isinstance(loop, MetaBINTrainLoop):
        sizes.append(_batch_size(loop.meta_dataloader))
    return [] if None in sizes else [size for size in sizes if size is not None]


def _batch_size(loader: DataLoader | None) -> int | None:
    batches = getattr(loader, "batch_sampler", None)
    batches = getattr(batches, "meta", batches)  # of a pool of base and meta batches
    return getattr(batches, "batch_size", None)
