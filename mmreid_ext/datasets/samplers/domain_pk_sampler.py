"""Batches with the same number of identities from every domain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from mmreid_ext.errors import UserError
from mmreid_ext.registry import DATA_SAMPLERS

from .group_sampler import GroupSampler, check_divisible
from .identity_groups import GroupPool, IdentityGroups


@DATA_SAMPLERS.register_module()
class DomainPKSampler(GroupSampler):
    """Equal shares of D domains in a batch: ``P/D`` identities x K images of each (MetaBIN).

    Every domain passes over its groups by itself:

    1. sort the images of the domain by key, the identity or (identity, camera); shuffle the images
       of each key and cut them into ``ceil(n/K)`` groups, the last one topped up with other images
       of the key;
    2. for each batch draw ``P/D`` keys uniformly among those of the domain with groups left, take
       one group of each;
    3. when fewer than ``P/D`` keys have groups left, the domain begins a new pass at 1.

    A global batch lists domain after domain (ascending), and inside a domain its groups are dealt
    to the ranks in turn: every rank gets the same share of every domain, again domain after domain.

    Corner cases:

    * Where an identity appears in several domains (cameras as domains), its images of different
      domains never share a group, with either key; its label stays the identity.
    * With ``group_by_camera`` two keys of one identity may meet in a batch when a domain has
      several cameras.
    * A key with fewer than K images repeats them as evenly as possible.
    * Every domain restarts by itself. The official sampler also restarts all of them once each has
      been through; deviation, as are those of :class:`PKSampler`.

    Epoch length (``iterations_per_epoch``): batches until the largest domain has been through,
    ``max over domains of floor(groups / (P/D))``, the length of a pass of the official sampler.
    (MetaBIN's schedules count epochs by its base loader, that is by :class:`PKSampler`.)

    Paper: Choi et al., "Meta Batch-Instance Normalization for Generalizable Person
    Re-Identification", CVPR 2021, https://arxiv.org/abs/2011.14670

    Args:
        dataset: Anything with the integer arrays ``pids`` and ``domains`` (and ``camids`` if
            ``group_by_camera``).
        batch_size: Images per rank, a multiple of ``D * num_instances``.
        num_instances: K. Defaults to 4.
        group_by_camera: Whether the K images of a group come from one camera. Defaults to False.
        **kwargs: ``seed``, ``start_iteration``, ``infinite``, ``rank``, ``world_size`` of
            :class:`GroupSampler`.

    Raises:
        ValueError: Fewer than two domains, ``batch_size`` not a multiple of ``D * K``, or a domain
            with fewer than ``P/D`` keys.

    Example:
        >>> meta_dataloader = dict(
        ...     batch_size=96, drop_last=True,
        ...     sampler=dict(type='mmreid_ext.DomainPKSampler', num_instances=4))
    """

    stream = 2

    def __init__(
        self,
        dataset: Any,
        batch_size: int,
        num_instances: int = 4,
        *,
        group_by_camera: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(dataset, batch_size, num_instances, **kwargs)
        self.group_by_camera = bool(group_by_camera)
        domains = self._labels(dataset, "domains")
        keys = self.pids[:, None]
        if self.group_by_camera:
            keys = np.stack([self.pids, self._labels(dataset, "camids")], axis=1)
        self.domain_ids = np.unique(domains)
        self.groups = {
            int(domain): IdentityGroups(keys[domains == domain], np.flatnonzero(domains == domain))
            for domain in self.domain_ids
        }
        self._check()

    def _check(self) -> None:
        count = len(self.domain_ids)
        if count < 2:
            raise UserError(
                f"DomainPKSampler needs at least 2 domains, the dataset has {count}: "
                "give several data sets, or cameras as domains, or use PKSampler."
            )
        unit = count * self.num_instances
        meaning = f"{count} domains x num_instances={self.num_instances}"
        check_divisible("DomainPKSampler", self.batch_size, unit, meaning)
        name = "(identity, camera) pairs" if self.group_by_camera else "identities"
        few = {d: len(g) for d, g in self.groups.items() if len(g) < self.keys_per_domain}
        if few:
            largest = min(few.values()) // self.world_size * unit
            raise UserError(
                f"DomainPKSampler: a batch of {self.global_batch_size} images "
                f"(batch_size={self.batch_size} x {self.world_size} ranks) "
                f"needs {self.keys_per_domain} {name} per domain; "
                f"too few in {{domain: number}} {few}; "
                f"lower batch_size to at most {largest}, or leave these domains out."
            )

    @property
    def keys_per_domain(self) -> int:
        """Groups of one domain in a global batch, P/D."""
        return self.global_batch_size // (len(self.domain_ids) * self.num_instances)

    @property
    def iterations_per_epoch(self) -> int:
        """Batches until the largest domain has been through once."""
        most = max(
            int(groups.num_groups(self.num_instances, drop_remainder=False).sum())
            for groups in self.groups.values()
        )
        return max(most // self.keys_per_domain, 1)

    def global_batches(self, rng: np.random.Generator) -> Iterator[np.ndarray]:
        """Endless batches of shape (P, K), domain after domain."""
        pools = [
            GroupPool(groups, self.num_instances, drop_remainder=False, rng=rng)
            for groups in self.groups.values()
        ]
        while True:
            yield np.concatenate([pool.take(self.keys_per_domain) for pool in pools])

    def _share(self) -> np.ndarray:
        """Every ``world_size``-th group of each domain."""
        rows = np.arange(self.global_batch_size // self.num_instances)
        return rows.reshape(len(self.domain_ids), -1)[:, self.rank :: self.world_size].ravel()
