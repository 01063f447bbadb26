"""Batches of P identities with K images each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from mmreid_ext.errors import UserError
from mmreid_ext.registry import DATA_SAMPLERS

from .group_sampler import GroupSampler, check_divisible
from .identity_groups import GroupPool, IdentityGroups

STRATEGIES = (
    "exhaustive_drop",
    "exhaustive_top_up",
    "remaining_weighted",
    "id_avg_prob",
    "sample_avg_prob",
)


@DATA_SAMPLERS.register_module()
class PKSampler(GroupSampler):
    """P distinct identities x K images per batch: an endless stream, entered at any iteration.

    With ``B = batch_size * world_size``, ``P = B / K`` and an identity of ``n`` images, the
    strategies are:

    ``exhaustive_drop`` (Luo et al., "Bag of Tricks and a Strong Baseline for Deep Person
    Re-Identification", CVPRW 2019, https://arxiv.org/abs/1903.07071):

    1. shuffle the images of each identity and cut them into ``floor(n/K)`` groups; the remainder
       waits for the next pass;
    2. draw P identities uniformly among those with groups left, take one group of each;
    3. when fewer than P identities have groups left, begin a new pass at 1.

    ``exhaustive_top_up``, the base loader of MetaBIN (Choi et al., "Meta Batch-Instance
    Normalization for Generalizable Person Re-Identification", CVPR 2021,
    https://arxiv.org/abs/2011.14670): the same with ``ceil(n/K)`` groups, the last one topped up
    with other images of the identity.

    ``remaining_weighted``, the loader of XBM (Wang et al., "Cross-Batch Memory for Embedding
    Learning", CVPR 2020, https://arxiv.org/abs/1912.06798): groups as in ``exhaustive_top_up``, but
    identities are drawn in proportion to the number of groups they have left, so that a pass leaves
    few groups behind.

    ``id_avg_prob`` and ``sample_avg_prob``, PaddleClas' ``PKSampler``: every batch draws P
    identities uniformly, or in proportion to ``n``, and K different images of each. An image may
    come twice before another comes once.

    Corner cases:

    * ``n < K``: the images are repeated as evenly as possible; the identity is never left out.
    * A top-up never repeats an image inside a group unless ``n < K``. The official loaders may
      (MetaBIN shuffles the doubles into the list, XBM and the strong baseline draw them with
      replacement); deviation.
    * A pass also ends every 1024 iterations, see :class:`GroupSampler`; deviation.
    * Rank ``r`` gets the ``r``-th contiguous share of the identities: batches gathered in rank
      order are the batch of a single process.

    Epoch length (``iterations_per_epoch``; ``len(sampler)`` is that times ``batch_size``), N
    images:

    * ``exhaustive_drop``: ``floor(sum of K*max(1, floor(n/K)) / B)``;
    * ``exhaustive_top_up``: ``floor(S/B) - 1`` with ``S = sum of K*ceil(n/K)``, MetaBIN's count;
    * ``remaining_weighted``: ``floor(S/B)``;
    * ``id_avg_prob``, ``sample_avg_prob``: ``ceil(N/B)``.

    Args:
        dataset: Anything with the integer array ``pids``.
        batch_size: Images per rank, a multiple of ``num_instances``.
        num_instances: K. Defaults to 4.
        strategy: One of the five above. Defaults to ``'exhaustive_top_up'``.
        **kwargs: ``seed``, ``start_iteration``, ``infinite``, ``rank``, ``world_size`` of
            :class:`GroupSampler`.

    Raises:
        ValueError: Unknown strategy, ``batch_size`` not a multiple of K, or fewer than P
            identities.

    Example:
        >>> train_dataloader = dict(
        ...     batch_size=96, drop_last=True,
        ...     sampler=dict(type='mmreid_ext.PKSampler', num_instances=4))
    """

    stream = 1

    def __init__(
        self,
        dataset: Any,
        batch_size: int,
        num_instances: int = 4,
        *,
        strategy: str = "exhaustive_top_up",
        **kwargs: Any,
    ) -> None:
        self.check_settings(batch_size, num_instances, strategy=strategy)
        super().__init__(dataset, batch_size, num_instances, **kwargs)
        self.strategy = strategy
        self.groups = IdentityGroups(self.pids)
        if len(self.groups) < self.num_identities:
            largest = len(self.groups) // self.world_size * self.num_instances
            raise UserError(
                f"PKSampler: a batch of {self.global_batch_size} images "
                f"(batch_size={self.batch_size} x {self.world_size} ranks) "
                f"with num_instances={self.num_instances} needs {self.num_identities} identities, "
                f"the dataset has {len(self.groups)}; "
                f"lower batch_size to at most {largest} or raise num_instances."
            )

    @classmethod
    def check_settings(
        cls,
        batch_size: int,
        num_instances: int = 4,
        strategy: str = "exhaustive_top_up",
        **others: Any,
    ) -> None:
        """Check the settings that need no data.

        Args: those of the class.

        Raises:
            TypeError: If a number is no integer.
            ValueError: If the strategy is unknown, or a number doesn't fit another.
        """
        super().check_settings(batch_size, num_instances, **others)
        if strategy not in STRATEGIES:
            raise UserError(
                f"PKSampler: strategy={strategy!r} is unknown; use one of {STRATEGIES}."
            )
        check_divisible("PKSampler", batch_size, num_instances, "num_instances")

    @property
    def num_identities(self) -> int:
        """Identities per global batch, P."""
        return self.global_batch_size // self.num_instances

    @property
    def iterations_per_epoch(self) -> int:
        """Iterations that schedules call an epoch, by the rule of the strategy (see the class)."""
        batch = self.global_batch_size
        if self.strategy in ("id_avg_prob", "sample_avg_prob"):
            return -(-len(self.pids) // batch)
        drop = self.strategy == "exhaustive_drop"
        slots = int(self.groups.num_groups(self.num_instances, drop).sum()) * self.num_instances
        count = slots // batch - (self.strategy == "exhaustive_top_up")
        return max(count, 1)

    def global_batches(self, rng: np.random.Generator) -> Iterator[np.ndarray]:
        """Endless batches of shape (P, K) by the chosen strategy."""
        if self.strategy in ("id_avg_prob", "sample_avg_prob"):
            yield from self._independent_batches(rng)
        drop = self.strategy == "exhaustive_drop"
        weighted = self.strategy == "remaining_weighted"
        pool = GroupPool(self.groups, self.num_instances, drop, rng)
        while True:
            yield pool.take(self.num_identities, weighted)

    def _independent_batches(self, rng: np.random.Generator) -> Iterator[np.ndarray]:
        """Batches that know nothing of one another."""
        groups, slots = self.groups, np.arange(self.num_instances)
        weights = groups.sizes / groups.sizes.sum() if self.strategy == "sample_avg_prob" else None
        while True:
            chosen = rng.choice(len(groups), self.num_identities, replace=False, p=weights)
            picks = [rng.permutation(groups.sizes[i])[slots % groups.sizes[i]] for i in chosen]
            yield groups.images[groups.starts[chosen][:, None] + np.stack(picks)]

    def _share(self) -> np.ndarray:
        """A contiguous share, so that gathering in rank order restores the global batch."""
        return np.split(np.arange(self.num_identities), self.world_size)[self.rank]
