"""Step sizes and domain splits of MetaBIN as pure functions of the iteration."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real

import numpy as np

from mmreid_ext.errors import UserError, UserTypeError
from mmreid_ext.setting_checks import is_finite

_SPLIT_STREAM = 0x5711  # keeps the splits independent of samplers that use the same seed


@dataclass(frozen=True)
class CyclicRatio:
    """Triangular wave between ``low`` and ``high``, the ratio of inner to outer gate step.

    The official code advances it before use, so iteration 0 sees the value at index 1; it takes
    five epochs as ``period`` (725 iterations for Market-1501 at batch 96), PaddleClas takes 2190.

    Attributes:
        low: Value at index 0 and at the end of each period.
        high: Value after ``period // 2`` indices.
        period: Length of the wave in iterations, at least 2.
    """

    low: float = 0.001
    high: float = 0.1
    period: int = 725

    def __post_init__(self) -> None:
        """Check the range."""
        numbers = (self.low, self.high, self.period)
        if any(isinstance(n, bool) or not isinstance(n, Real) for n in numbers):
            raise UserTypeError(f"CyclicRatio: low, high and period must be numbers, got {self}.")
        whole = is_finite(self.period) and self.period == int(self.period)
        if not whole or self.period < 2 or not 0 <= self.low <= self.high < math.inf:
            raise UserError(
                f"CyclicRatio needs a whole period >= 2 and 0 <= low <= high < inf, got {self}."
            )

    def __call__(self, iteration: int) -> float:
        """Ratio used at a 0-based iteration."""
        up = self.period // 2
        index = (iteration + 1) % self.period
        rise = index / up if index <= up else (self.period - index) / (self.period - up)
        return self.low + (self.high - self.low) * rise


def split_domains(seed: int, iteration: int, num_domains: int, num_train: int) -> tuple[int, ...]:
    """Domains of the meta-train pass; the others make the meta-test pass.

    Every rank computes the same split without communication, and a resumed run the same as an
    uninterrupted one.

    Args:
        seed: Seed of the run.
        iteration: 0-based iteration.
        num_domains: All domains D.
        num_train: How many of them are drawn, in [1, D).
    """
    if not 1 <= num_train < num_domains:
        raise UserError(
            "MetaBIN splits its domains into meta-train and meta-test: "
            f"num_train_domains={num_train} must be at least 1 and less than the number of "
            f"domains, {num_domains}."
        )
    generator = np.random.default_rng((seed, _SPLIT_STREAM, iteration))
    return tuple(sorted(int(d) for d in generator.permutation(num_domains)[:num_train]))
