"""Remember past embeddings and give them to a pair loss as additional keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from mmreid_ext.distributed import get_world_size, places_of_rows
from mmreid_ext.errors import UserError, UserTypeError
from mmreid_ext.models.run_state import RunState
from mmreid_ext.registry import MODELS

from .full_precision import in_full_precision
from .global_batch import global_batch
from .input_checks import check_at_least_one, check_dimension, check_rows
from .pair_loss import PairLoss

WRAPS = ("ring", "reference")


@MODELS.register_module()
class CrossBatchMemory(RunState):
    """Add to a pair loss the same loss of the batch against the last ``memory_size`` embeddings.

    A training step counts itself; once the count is above ``start_iter`` it stores the batch
    (detached, float32) and only then compares the batch with the memory. So the batch is among its
    own keys, as in the reference; the wrapped losses drop or ignore an embedding's pair with
    itself. Only anchors receive gradients from the memory term. Before that point ``loss_memory``
    is 0.

    The memory is a first-in-first-out ring, and it is full when ``memory_size`` rows have been
    written. ``wrap='reference'`` reproduces the reference's storage instead: a batch that does not
    fit before the end overwrites the *last* rows (the newest ones among them) and writing restarts
    at row 0. In both, fullness is a count; the reference asks whether the last row's label is
    non-zero, which empties its memory when that label is 0.

    With several ranks the batches of all ranks are stored in the order of one process, so every
    rank holds the same memory without broadcasting it (``broadcast_buffers=False`` in
    DistributedDataParallel saves that traffic). Everything is a persistent buffer: a resumed run
    continues with memory, pointer and count, a run that starts from a checkpoint by ``load_from``
    with an empty memory. In evaluation mode and in the meta passes of MetaBIN nothing is counted or
    stored. With gradient accumulation every micro-batch counts as a step.

    Args:
        loss: A :class:`PairLoss` (contrastive, multi-similarity, batch-hard triplet) or its
            config.
        memory_size: Rows M of the memory; at least the global batch size.
        feat_dim: Dimension D of the embedding.
        start_iter: Steps before the memory starts. Defaults to 1000.
        wrap: ``'ring'`` or ``'reference'``. Defaults to ``'ring'``.
        across_ranks: Share batches and memory over ranks. Defaults to True.
        memory_weight: Factor of the memory term. Losses that sum over keys, as the contrastive one
            does, grow with the memory: lower it for a memory that drowns the batch term. Defaults
            to 1, the reference's.

    Attributes:
        memory_feats: Buffer (M, D), float32.
        memory_pids: Buffer (M,), int64.
        pointer: Buffer, 0-d: the row to be written next.
        fill: Buffer, 0-d: number of rows in use, the first ones.
        steps: Buffer, 0-d: training steps seen.

    Raises:
        TypeError: ``loss`` cannot take keys.
        ValueError: Impossible sizes or unknown ``wrap``.

    References:
        X. Wang, H. Zhang, W. Huang, M. R. Scott, "Cross-Batch Memory for Embedding Learning",
        CVPR 2020, https://arxiv.org/abs/1912.06798.

    Example:
        >>> memory = CrossBatchMemory(ContrastiveLoss(), memory_size=1024, feat_dim=8, start_iter=0)
        >>> sorted(memory(torch.randn(4, 8), torch.tensor([0, 0, 1, 1])))
        ['loss_batch', 'loss_memory']
    """

    memory_feats: Tensor
    memory_pids: Tensor
    # The host's copies of the counters, see `RunState.add_counters`.
    _pointer: int
    _fill: int
    _steps: int

    run_state = ("memory_feats", "memory_pids", "pointer", "fill", "steps")

    def __init__(
        self,
        loss: PairLoss | dict[str, Any],
        memory_size: int,
        feat_dim: int,
        start_iter: int = 1000,
        wrap: str = "ring",
        across_ranks: bool = True,
        memory_weight: float = 1.0,
    ) -> None:
        super().__init__()
        loss = MODELS.build(loss) if isinstance(loss, dict) else loss
        if not isinstance(loss, PairLoss):
            raise UserTypeError(
                f"CrossBatchMemory: loss={type(loss).__name__} cannot compare with a memory; "
                "wrap ContrastiveLoss, MultiSimilarityLoss, "
                "BatchHardTripletLoss or another PairLoss."
            )
        check_at_least_one(self, memory_size=memory_size, feat_dim=feat_dim)
        if memory_weight < 0:
            raise UserError(f"CrossBatchMemory: memory_weight={memory_weight} must be at least 0.")
        if wrap not in WRAPS:
            raise UserError(f"CrossBatchMemory: wrap={wrap!r} must be one of {WRAPS}.")
        self.loss = loss
        self.start_iter = start_iter
        self.memory_weight = memory_weight
        self.wrap = wrap
        self.across_ranks = across_ranks
        self.register_buffer("memory_feats", torch.zeros(memory_size, feat_dim))
        self.register_buffer("memory_pids", torch.zeros(memory_size, dtype=torch.int64))
        self.add_counters("pointer", "fill", "steps")

    @in_full_precision
    def forward(self, feats: Tensor, pids: Tensor) -> dict[str, Tensor]:
        """Compute both terms, and in training mode remember the batch.

        Args:
            feats: Shape (B, feat_dim), the same B on every rank.
            pids: Labels, shape (B,).

        Returns:
            ``loss_batch`` and ``loss_memory``, 0-d tensors to be added; the second contains its
            weight.
        """
        check_rows(self, feats, pids=pids)
        memory_size, feat_dim = self.memory_feats.shape
        check_dimension(self, feats, feat_dim, "feat_dim")
        feats, pids = global_batch(feats, pids, across_ranks=self.across_ranks)
        if len(feats) > memory_size:
            raise UserError(
                f"CrossBatchMemory: memory_size={memory_size}, "
                f"but the global batch has {len(feats)} rows; raise memory_size."
            )
        if self.remembers:
            self._count_and_store(feats, pids)
        losses = {"loss_batch": self.loss.compare(feats, pids, feats, pids)}
        if self._fill:
            keys = self.memory_feats[: self._fill].to(feats.dtype)
            key_pids = self.memory_pids[: self._fill]
            against_memory = self.loss.compare(feats, pids, keys, key_pids)
            losses["loss_memory"] = self.memory_weight * against_memory
        else:
            losses["loss_memory"] = feats.new_zeros(())
        return losses

    @torch.no_grad()
    def _count_and_store(self, feats: Tensor, pids: Tensor) -> None:
        self._steps += 1
        if self.across_ranks:  # in the order of a single process
            order = places_of_rows(len(feats) // get_world_size(), feats.device).order
            feats, pids = feats[order], pids[order]
        if self._steps > self.start_iter:
            if self.wrap == "ring":
                self._store_in_ring(feats, pids)
            else:
                self._store_as_reference(feats, pids)
        self.write_counters()

    def _store_in_ring(self, feats: Tensor, pids: Tensor) -> None:
        memory_size, num_rows = len(self.memory_feats), len(feats)
        until_end = min(num_rows, memory_size - self._pointer)
        self._write(self._pointer, feats[:until_end], pids[:until_end])
        self._write(0, feats[until_end:], pids[until_end:])
        self._pointer = (self._pointer + num_rows) % memory_size
        self._fill = min(self._fill + num_rows, memory_size)

    def _store_as_reference(self, feats: Tensor, pids: Tensor) -> None:
        memory_size, num_rows = len(self.memory_feats), len(feats)
        if self._pointer + num_rows > memory_size:
            self._write(memory_size - num_rows, feats, pids)
            self._pointer, self._fill = 0, memory_size
        else:
            self._write(self._pointer, feats, pids)
            self._pointer += num_rows
            self._fill = max(self._fill, self._pointer)

    def _write(self, start: int, feats: Tensor, pids: Tensor) -> None:
        self.memory_feats[start : start + len(feats)] = feats
        self.memory_pids[start : start + len(pids)] = pids

    def _load_from_state_dict(
        self, state_dict: Mapping[str, Any], prefix: str, *args: Any, **kwargs: Any
    ) -> None:
        rows = state_dict.get(f"{prefix}memory_feats", self.memory_feats)
        if rows.shape != self.memory_feats.shape:  # the counters alone would count rows of zeros
            (memory_size, feat_dim), (size, dim) = rows.shape, self.memory_feats.shape
            raise UserError(
                f"CrossBatchMemory: memory_size={size}, feat_dim={dim}, "
                f"but the checkpoint's memory has {memory_size} rows of {feat_dim}; "
                "use its numbers, or start a new run from its weights by `load_from`."
            )
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)

    def extra_repr(self) -> str:
        """Show the arguments in ``print(model)``."""
        memory_size, feat_dim = self.memory_feats.shape
        return (
            f"memory_size={memory_size}, feat_dim={feat_dim}, start_iter={self.start_iter}, "
            f"wrap={self.wrap!r}, across_ranks={self.across_ranks}, "
            f"memory_weight={self.memory_weight}"
        )
