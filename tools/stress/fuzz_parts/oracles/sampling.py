"""The rules of the samplers' documentation, with plain lists and Python's whole numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

from fuzz_parts.running import Mismatch

_MASK = 2**64 - 1


def draw_seed(seed: int, position: int) -> int:
    """Return the seed of a draw, by SplitMix64 in Python's whole numbers."""

    def mix(z: int) -> int:
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB & _MASK
        return z ^ (z >> 31)

    return mix((mix(seed & _MASK) + (position + 1) * 0x9E3779B97F4A7C15) & _MASK) >> 1


class Pass:
    """What is left of one pass over the groups of some keys.

    Args:
        images: Images by key.
        k: Images of a group.
        drop: Whether an incomplete last group is left out.
    """

    def __init__(self, images: dict[Hashable, list[int]], k: int, drop: bool) -> None:
        self.images, self.k, self.drop = images, k, drop
        self.refill()

    def refill(self) -> None:
        """Begin a new pass."""
        self.left = {
            key: max(1, len(own) // self.k) if self.drop else -(-len(own) // self.k)
            for key, own in self.images.items()
        }
        self.taken: Counter[Hashable] = Counter()
        self.seen: Counter[tuple[Hashable, int]] = Counter()

    def take(self, keys: Sequence[Hashable], groups: Sequence[Sequence[int]]) -> None:
        """Take one group of each key, as a batch shows them."""
        if sum(left > 0 for left in self.left.values()) < len(keys):
            self.refill()
        for key, group in zip(keys, groups, strict=True):
            if self.left[key] < 1:
                raise Mismatch(f"key {key} has no group left in this pass")
            self.left[key] -= 1
            self.taken[key] += 1
            self.seen.update((key, image) for image in group)
            slots, own = self.taken[key] * self.k, self.images[key]
            counts = [self.seen[key, image] for image in own]
            if min(counts) < slots // len(own) or max(counts) > -(-slots // len(own)):
                raise Mismatch(f"images of key {key} are not used evenly: {counts}")


def epoch_length(counts: list[int], k: int, total: int, strategy: str) -> int:
    """Return the iterations of an epoch of PKSampler, by images of each identity."""
    if strategy == "exhaustive_drop":
        return sum(k * max(1, n // k) for n in counts) // total
    if strategy == "exhaustive_top_up":
        return sum(k * -(-n // k) for n in counts) // total - 1
    if strategy == "remaining_weighted":
        return sum(k * -(-n // k) for n in counts) // total
    return -(-sum(counts) // total)
