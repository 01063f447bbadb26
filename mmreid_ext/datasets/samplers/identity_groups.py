"""Images sorted by identity, and pools of K-image groups drawn from them without repetition."""

from __future__ import annotations

import numpy as np


class IdentityGroups:
    """Index of the images of every identity.

    Args:
        keys: Shape (N,) or (N, M): images with equal (rows of) keys belong together; an identity
            label, or for instance (identity, camera) pairs.
        images: Shape (N,), the dataset index of every row of ``keys``. Defaults to ``0..N-1``.

    Attributes:
        images: Shape (N,), dataset indices sorted by key.
        starts: Shape (I,), where each key's images begin in ``images``.
        sizes: Shape (I,), number of images per key.
    """

    def __init__(self, keys: np.ndarray, images: np.ndarray | None = None) -> None:
        keys = np.asarray(keys)
        if images is None:
            images = np.arange(len(keys))
        # Rows are compared as a whole, which takes ten times as long as to compare numbers.
        axis = None if keys.ndim == 1 else 0
        _, inverse = np.unique(keys, axis=axis, return_inverse=True)
        inverse = inverse.reshape(-1)  # numpy 2.0.0 gave it the shape of the keys
        self.images = np.asarray(images)[np.argsort(inverse, kind="stable")]
        self.sizes = np.bincount(inverse)
        self.starts = np.cumsum(self.sizes) - self.sizes
        self._owners = np.repeat(np.arange(len(self.sizes)), self.sizes)

    def __len__(self) -> int:
        return len(self.sizes)

    def shuffled(self, rng: np.random.Generator) -> np.ndarray:
        """``images`` with those of every identity in random order, identities in their places."""
        return self.images[np.lexsort((rng.random(len(self.images)), self._owners))]

    def num_groups(self, num_instances: int, drop_remainder: bool) -> np.ndarray:
        """Groups of K that each identity gives: ``max(1, floor(n/K))`` or ``ceil(n/K)``."""
        if drop_remainder:
            return np.maximum(self.sizes // num_instances, 1)
        return -(-self.sizes // num_instances)


class GroupPool:
    """Take all groups once: each identity's images in random order, cut into groups of K.

    Slot ``j`` of an identity with ``n`` images in random order ``s`` holds ``s[j mod n]``, and
    group ``g`` holds slots ``gK .. gK + K - 1``. So an incomplete last group is topped up with
    random other images of the identity, and an identity with fewer than K images repeats them as
    evenly as possible.

    Args:
        groups: Images of every identity.
        num_instances: Images per group, K.
        drop_remainder: Whether the last ``n mod K`` images are left out of this pass (never for an
            identity with fewer than K images).
        rng: Generator that orders the images and draws the identities.
    """

    def __init__(
        self,
        groups: IdentityGroups,
        num_instances: int,
        drop_remainder: bool,
        rng: np.random.Generator,
    ) -> None:
        self._groups = groups
        self._slots = np.arange(num_instances)
        self._drop_remainder = drop_remainder
        self._rng = rng
        self.refill()

    def refill(self) -> None:
        """Begin a new pass: new order of images, all groups available again."""
        self._shuffled = self._groups.shuffled(self._rng)
        self._left = self._groups.num_groups(len(self._slots), self._drop_remainder)
        self._taken = np.zeros_like(self._left)

    def take(self, num_identities: int, weighted: bool = False) -> np.ndarray:
        """Take one group of each of several identities; refill first if too few have groups left.

        Args:
            num_identities: Number of distinct identities, at most the number of identities.
            weighted: Draw identities in proportion to their remaining groups rather than uniformly.

        Returns:
            Dataset indices, shape (num_identities, K).
        """
        available = np.flatnonzero(self._left)
        if len(available) < num_identities:
            self.refill()
            available = np.flatnonzero(self._left)
        weights = self._left[available] / self._left.sum() if weighted else None
        chosen = self._rng.choice(available, num_identities, replace=False, p=weights)
        slots = self._taken[chosen][:, None] * len(self._slots) + self._slots  # (P, K)
        self._taken[chosen] += 1
        self._left[chosen] -= 1
        groups = self._groups
        return self._shuffled[
            groups.starts[chosen][:, None] + slots % groups.sizes[chosen][:, None]
        ]
