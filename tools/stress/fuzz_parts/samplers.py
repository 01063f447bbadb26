"""Samplers against the rules of their documentation, replayed with plain lists.

Which identities and images a generator picks is free; everything else is not: what a batch holds,
when a pass ends, what each rank gets, where a stream begins, which seed a draw has.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from itertools import islice
from types import SimpleNamespace
from typing import Any

import numpy as np

from mmreid_ext.datasets.samplers import DomainPKSampler, PKSampler
from mmreid_ext.datasets.samplers.pk_sampler import STRATEGIES
from mmreid_ext.errors import UserError

from .oracles.sampling import Pass, draw_seed, epoch_length
from .running import Mismatch, Part


def _groups_by(keys: list[Hashable], rows: list[int]) -> dict[Hashable, list[int]]:
    found: dict[Hashable, list[int]] = {}
    for row in rows:
        found.setdefault(keys[row], []).append(row)
    return found


def _dataset(rng: np.random.Generator) -> Any:
    people = int(rng.integers(1, 13))
    sizes = rng.integers(1, int(rng.choice([2, 4, 14])) + 1, people)
    names = rng.choice([0, -1, 7, 2**40, 1000, 3, 5, 2, 11, 8, 99, 1], people, replace=False)
    pids = rng.permutation(np.repeat(names, sizes)).astype(rng.choice(["i8", "i4"]))
    if abs(pids.astype("i8")).max() > 2**31:
        pids = rng.permutation(np.repeat(names, sizes))
    count = len(pids)
    return SimpleNamespace(
        pids=pids,
        camids=rng.integers(-1, 3, count),
        domains=rng.integers(0, int(rng.integers(1, 4)), count) * 5,
    )


def _stream(sampler: Any, batches: int) -> list[list[tuple[int, int]]]:
    size = sampler.batch_size
    flat = [(int(d), d.seed) for d in islice(sampler, batches * size)]
    if len(flat) != batches * size or any(not 0 <= seed < 2**63 for _, seed in flat):
        raise Mismatch(f"{len(flat)} draws, expected {batches} batches of {size}")
    return [flat[start : start + size] for start in range(0, len(flat), size)]


def case(rng: np.random.Generator, prepared: Any) -> str:
    """Try one sampler on one data set."""
    data, k = _dataset(rng), int(rng.integers(1, 6))
    by_domain = rng.random() < 0.4
    domains = len(set(data.domains.tolist()))
    world = int(rng.choice([1, 1, 2, 3]))
    unit = k * domains if by_domain else k
    size = unit * int(rng.integers(1, 3)) if rng.random() < 0.9 else int(rng.integers(1, 20))
    options: dict[str, Any] = dict(seed=int(rng.choice([0, 1, 2**31, 2**63 + 5])) + world)
    if by_domain:
        options["group_by_camera"] = bool(rng.random() < 0.3)
        kind: Any = DomainPKSampler
    else:
        options["strategy"] = str(rng.choice(STRATEGIES))
        kind = PKSampler
    fits = _fits(data, k, size * world, size % unit == 0, by_domain, options)
    try:
        ranks = [kind(data, size, k, rank=r, world_size=world, **options) for r in range(world)]
    except UserError as error:
        if fits:
            raise Mismatch(f"refused though it fits: {error}") from error
        return "refused"
    if not fits:
        raise Mismatch("accepted though it doesn't fit")
    _check(rng, data, k, ranks, by_domain, options)
    return "equal"


def _keys(data: Any, by_domain: bool, options: dict[str, Any]) -> list[Hashable]:
    pids, cameras = data.pids.tolist(), data.camids.tolist()
    if by_domain and options["group_by_camera"]:
        return list(zip(pids, cameras, strict=True))
    return pids


def _fits(
    data: Any, k: int, size: int, divides: bool, by_domain: bool, options: dict[str, Any]
) -> bool:
    keys = _keys(data, by_domain, options)
    if not by_domain:
        return divides and len(set(keys)) >= size // k
    domains = data.domains.tolist()
    names = set(domains)
    own = [{key for key, d in zip(keys, domains, strict=True) if d == name} for name in names]
    return divides and len(names) > 1 and min(map(len, own)) >= size // (k * len(names))


def _check(
    rng: np.random.Generator,
    data: Any,
    k: int,
    ranks: list[Any],
    by_domain: bool,
    options: dict[str, Any],
) -> None:
    block = int(rng.choice([3, 5, 1024]))
    batches, start = int(rng.integers(1, 9)), int(rng.integers(0, 7))
    for sampler in ranks:
        sampler.block_length = block
    parts = [_stream(sampler, start + batches) for sampler in ranks]
    whole = _joined(ranks, parts)
    total = len(whole[0])
    for number, batch in enumerate(whole):
        expected = [draw_seed(options["seed"], number * total + at) for at in range(total)]
        if [seed for _, seed in batch] != expected:
            raise Mismatch(f"batch {number}: seeds of the draws are not those of their positions")
    _replay(data, k, [[i for i, _ in batch] for batch in whole], block, by_domain, options)
    for sampler, part in zip(ranks, parts, strict=True):
        sampler.set_start(start)
        if _stream(sampler, batches) != part[start:]:
            raise Mismatch(f"a stream begun at {start} differs")
    _check_length(ranks[0], data, k, total, by_domain, options)


def _joined(ranks: list[Any], parts: list[list[list[Any]]]) -> list[list[Any]]:
    """Put the batches of the ranks together as one process would have them."""
    whole = []
    for pieces in zip(*parts, strict=True):
        batch: list[Any] = [None] * sum(map(len, pieces))
        for sampler, piece in zip(ranks, pieces, strict=True):
            for place, draw in zip(sampler.positions, piece, strict=True):
                if batch[place] is not None:
                    raise Mismatch(f"two ranks have place {place}")
                batch[place] = draw
        whole.append(batch)
    return whole


def _replay(
    data: Any,
    k: int,
    batches: list[list[int]],
    block: int,
    by_domain: bool,
    options: dict[str, Any],
) -> None:
    keys = _keys(data, by_domain, options)
    domains = data.domains.tolist() if by_domain else [0] * len(keys)
    names = sorted(set(domains))
    rows = {name: [i for i, d in enumerate(domains) if d == name] for name in names}
    images = {name: _groups_by(keys, rows[name]) for name in names}
    strategy = options.get("strategy", "exhaustive_top_up")
    passes: dict[Any, Pass] = {}
    for number, batch in enumerate(batches):
        if number % block == 0:
            drop = strategy == "exhaustive_drop"
            passes = {name: Pass(images[name], k, drop) for name in names}
        share = len(batch) // len(names)
        for at, name in enumerate(names):
            piece = batch[at * share : (at + 1) * share]
            groups = [piece[i : i + k] for i in range(0, share, k)]
            owners = [_owner(group, keys, domains, name, images[name]) for group in groups]
            if len(set(owners)) != len(owners):
                raise Mismatch(f"batch {number} has a key twice: {owners}")
            if strategy not in ("id_avg_prob", "sample_avg_prob"):
                passes[name].take(owners, groups)


def _owner(
    group: list[int], keys: list[Any], domains: list[int], name: int, images: dict[Any, list[int]]
) -> Hashable:
    owners = {(keys[i], domains[i]) for i in group}
    if len(owners) != 1 or domains[group[0]] != name:
        raise Mismatch(f"a group shows {owners}, in the share of domain {name}")
    key = keys[group[0]]
    counts = Counter(group)
    few = min(len(images[key]), len(group))
    if len(counts) != few or max(counts.values()) - min(counts.values()) > 1:
        raise Mismatch(f"images {group} of {few} different ones possible")
    return key


def _check_length(
    sampler: Any, data: Any, k: int, total: int, by_domain: bool, options: dict[str, Any]
) -> None:
    keys = _keys(data, by_domain, options)
    if by_domain:
        counts = Counter(zip(data.domains.tolist(), keys, strict=True))
        groups: Counter[int] = Counter()
        for (domain, _), n in counts.items():
            groups[domain] += -(-n // k)
        expected = max(groups.values()) // (total // (k * len(groups)))
    else:
        expected = epoch_length(list(Counter(keys).values()), k, total, options["strategy"])
    expected = max(expected, 1)
    if sampler.iterations_per_epoch != expected or len(sampler) != expected * sampler.batch_size:
        raise Mismatch(f"an epoch has {sampler.iterations_per_epoch} iterations, not {expected}")
    sampler.infinite = False
    sampler.set_epoch(1)
    if sampler.start_iteration != expected or len(list(sampler)) != len(sampler):
        raise Mismatch("a finite sampler doesn't end with its epoch")


PART = Part(
    "samplers", "PKSampler (five strategies) and DomainPKSampler on one to three ranks", case
)
