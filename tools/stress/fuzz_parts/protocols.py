"""Protocols, and the figures of whole test sets, against loops: splits, trials, means."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mmreid_ext.errors import UserError
from mmreid_ext.evaluation.embedding_set import EmbeddingSet
from mmreid_ext.evaluation.set_evaluation import evaluate_set
from mmreid_ext.protocols import build_protocol

from .drawn_protocols import NAMES, drawn_protocol
from .oracles import rank as rank_oracle
from .oracles import split as split_oracle
from .oracles.split import Expected, Picture
from .ranking import features, same
from .running import Mismatch, Part


def test_set(rng: np.random.Generator) -> tuple[list[Picture], EmbeddingSet]:
    """Draw a test set."""
    count, people = int(rng.integers(2, 25)), int(rng.integers(1, 6))
    vectors = features(rng, count, int(rng.integers(1, 6))).astype("f4")
    pids = rng.choice(np.array([0, *range(1, people + 1)]), count)
    if rng.random() < 0.3:
        pids[rng.integers(0, count)] = -1
    cameras = rng.integers(-1 if rng.random() < 0.3 else 0, 3, count)
    roles = rng.choice(["query", "gallery"], count)
    alone = (pids == 0) & (rng.random() < 0.7)
    slash = str(rng.choice(["/", "\\"]))
    pictures = [
        Picture(i, int(p), int(c), str(r), f"cam{c}{slash}{p}_{i}.jpg", bool(a))
        for i, (p, c, r, a) in enumerate(zip(pids, cameras, roles, alone, strict=True))
    ]
    names = np.array([p.name for p in pictures])
    sets = np.full(count, "drawn")
    return pictures, EmbeddingSet(
        torch.from_numpy(vectors), pids, cameras, roles, sets, names, alone
    )


def case(rng: np.random.Generator, folder: Path) -> str:
    """Evaluate one test set under one protocol."""
    pictures, images = test_set(rng)
    name = str(rng.choice(NAMES))
    spec, expected, fits = drawn_protocol(rng, name, pictures, folder)
    max_rank = int(rng.choice([1, 7, 20]))
    distance = str(rng.choice(["cosine", "euclidean"]))
    try:
        protocol = build_protocol(spec)
        splits = list(protocol.splits(images))
    except UserError as error:
        if fits:
            raise Mismatch(f"{name} refused though it fits: {error}") from error
        return "refused"
    if not fits:
        raise Mismatch(f"{name} accepted though it doesn't fit")
    split_oracle.check_splits(splits, expected)
    _again(protocol, images, splits)
    trials = _trials(images, splits, expected, pictures, distance)
    some = any(a.first for answers in trials.values() for _, a in answers)
    options = dict(rerank=None, max_rank=max_rank, distance=distance)
    try:
        result = evaluate_set(images, spec, **options)
    except UserError as error:
        if some:
            raise Mismatch(f"{name} not evaluated though queries have matches: {error}") from error
        return "without a match"
    if not some:
        raise Mismatch(f"{name} evaluated though no query has a match")
    _compare(result, trials, protocol)
    return f"equal: {name}"


def _again(protocol: Any, images: EmbeddingSet, splits: list[Any]) -> None:
    """The same splits at every call."""
    for one, other in zip(splits, protocol.splits(images), strict=True):
        if not np.array_equal(one.gallery, other.gallery):
            raise Mismatch("a second call gives another gallery")


def _trials(
    images: EmbeddingSet,
    splits: list[Any],
    expected: list[Expected],
    pictures: list[Picture],
    distance: str,
) -> dict[int, list[tuple[int, rank_oracle.Answer]]]:
    """Rank every split by loops; return (row, answer) of each query, by trial."""
    vectors = images.feats.double().tolist()
    measure = rank_oracle.cosine if distance == "cosine" else rank_oracle.nearness
    trials: dict[int, list[tuple[int, rank_oracle.Answer]]] = {}
    for split, wanted in zip(splits, expected, strict=True):
        there = [pictures[row] for row in split.gallery.tolist()]
        for row in wanted.query:
            asked = pictures[row]
            scores = [measure(vectors[row], vectors[p.row]) for p in there]
            roles = [_role(asked, p, wanted) for p in there]
            ties = [rank_oracle.TIE] * len(there)
            if distance == "euclidean":
                ties = [
                    rank_oracle.TIE * (math.hypot(*vectors[row]) + math.hypot(*vectors[p.row])) ** 2
                    for p in there
                ]
            answer = rank_oracle.answer(scores, roles, ties, False)
            trials.setdefault(split.trial, []).append((row, answer))
    return trials


def _role(asked: Picture, other: Picture, wanted: Expected) -> str:
    if other.alone:
        return "wrong"
    if asked.alone or asked.pid == -1:
        return "junk" if other.pid == -1 else "wrong"
    if wanted.each_alone:
        return (
            "removed"
            if other.row == asked.row
            else rank_oracle.plays(asked.pid, None, other.pid, None)
        )
    cameras = (asked.camera, other.camera) if wanted.cameras else (None, None)
    return rank_oracle.plays(asked.pid, cameras[0], other.pid, cameras[1])


def _compare(result: Any, trials: dict[int, Any], protocol: Any) -> None:
    valid = {
        trial: [(row, a) for row, a in answers if a.first] for trial, answers in trials.items()
    }
    valid = {trial: answers for trial, answers in valid.items() if answers}
    plain = result.plain
    cut = len(plain.cmc)
    per_trial = [
        [
            rank_oracle.mean([a.ap for _, a in answers]),
            rank_oracle.mean([a.inp for _, a in answers]),
            *(rank_oracle.cmc([a.first for _, a in answers], k) for k in range(1, cut + 1)),
        ]
        for answers in valid.values()
    ]
    means = [math.fsum(column) / len(per_trial) for column in zip(*per_trial, strict=True)]
    same("mAP, mINP, CMC", [plain.mAP, plain.mINP, *plain.cmc], means)
    if protocol.random:
        names = ["mAP", "mINP", *(f"R{k}" for k in protocol.ranks)]
        places = [0, 1, *(1 + k for k in protocol.ranks)]
        for name, place in zip(names, places, strict=True):
            column = [trial[place] for trial in per_trial]
            spread = math.sqrt(math.fsum((v - means[place]) ** 2 for v in column) / len(column))
            same(f"deviation of {name}", plain.std[name], spread, 1e-9)
    _compare_queries(plain, trials, valid)


def _compare_queries(plain: Any, trials: dict[int, Any], valid: dict[int, Any]) -> None:
    """Scores of each query, and how much it counts."""
    # Splits without any match are left out, with their queries.
    found = dict(zip(plain.rows.tolist(), range(len(plain.rows)), strict=True))
    everyone = {row for answers in trials.values() for row, _ in answers}
    if not set(found) <= everyone or any(row not in found for a in valid.values() for row, _ in a):
        raise Mismatch(f"queries {sorted(found)}, by the oracle {sorted(everyone)}")
    weights = dict.fromkeys(found, 0.0)
    sums = {row: [0.0, 0.0] for row in found}
    for answers in valid.values():
        share = 1 / (len(valid) * len(answers))
        for row, a in answers:
            weights[row] += share
            sums[row][0] += share * a.ap
            sums[row][1] += share * (a.first == 1)
    for row, place in found.items():
        same(f"weight of query {row}", plain.weights[place], weights[row])
        for values, total in zip((plain.ap, plain.top1), sums[row], strict=True):
            mean = total / weights[row] if weights[row] else math.nan
            same(f"scores of query {row}", values[place], mean)


PART = Part("protocols", "splits, trials and figures of whole sets under seven protocols", case)
