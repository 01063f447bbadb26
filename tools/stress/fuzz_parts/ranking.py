"""evaluate_retrieval and expand_queries against plain loops."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from mmreid_ext.evaluation.retrieval.query_expansion import expand_queries
from mmreid_ext.evaluation.retrieval.ranking import evaluate_retrieval
from mmreid_ext.evaluation.retrieval.result import FPRS

from .oracles import rank as oracle
from .running import Mismatch, Part

_BIN = 2.0**-17


def features(rng: np.random.Generator, rows: int, size: int) -> np.ndarray:
    """Draw features: on a grid with many ties, around a few centres, equal, zero, far apart."""
    kind = rng.choice(["grid", "signs", "normal", "clusters", "equal"], p=[0.3, 0.2, 0.2, 0.2, 0.1])
    if kind == "grid":
        found = rng.integers(-1, 2, (rows, size)).astype(float)
    elif kind == "signs":
        found = rng.choice([-1.0, 1.0], (rows, size))
    elif kind == "equal":
        found = np.tile(rng.standard_normal(size), (rows, 1))
    else:
        found = rng.standard_normal((rows, size))
        if kind == "clusters":
            found = rng.standard_normal((3, size))[rng.integers(0, 3, rows)] + 0.2 * found
    if rows and rng.random() < 0.2:
        found[rng.integers(0, rows)] = 0
    if rows and rng.random() < 0.3:
        found[rng.integers(0, rows, rows // 2)] = found[rng.integers(0, rows)]
    return found.astype(str(rng.choice(["f2", "f4", "f8"])))


def labels(rng: np.random.Generator, rows: int, people: int) -> np.ndarray:
    """Draw identities, junk and distractors among them."""
    return rng.choice(np.array([-1, 0, *range(1, people + 1), 2**40]), rows)


def sizes(rng: np.random.Generator) -> tuple[int, int]:
    """Draw the number of queries and of gallery images; sometimes none."""
    queries = int(rng.integers(1, 8)) if rng.random() < 0.96 else 0
    return queries, int(rng.integers(1, 26)) if rng.random() < 0.96 else 0


def case(rng: np.random.Generator, prepared: Any) -> str:
    """Rank one drawn problem."""
    queries, gallery = sizes(rng)
    size, people = int(rng.integers(1, 9)), int(rng.integers(1, 6))
    both = features(rng, queries + gallery, size)
    query, found = both[:queries], both[queries:]
    pids = labels(rng, queries, people), labels(rng, gallery, people)
    cameras: Any = (None, None)
    if rng.random() < 0.7:
        cameras = rng.integers(-1, 3, queries), rng.integers(-1, 3, gallery)
    counting = "paddleclas" if rng.random() < 0.2 else "standard"
    distance = "euclidean" if counting == "standard" and rng.random() < 0.4 else "cosine"
    options = dict(
        distance=distance,
        counting=counting,
        max_rank=int(rng.choice([1, 5, 50])),
        memory_budget=None if rng.random() < 0.5 else int(rng.integers(1, 5000)),
    )
    tensors = rng.random() < 0.5
    result = evaluate_retrieval(
        *(torch.from_numpy(x) if tensors else x for x in (query, found)), *pids, *cameras, **options
    )
    answers = slow(query, found, pids, cameras, distance, counting)
    compare(result, answers, options["max_rank"])
    if counting == "standard":
        _compare_rates(result, answers, distance)
    if len(found) and rng.random() < 0.2:
        _try_expansion(rng, query, found)
    return "equal" if any(a.first for a in answers) else "without a match"


def slow(
    query: np.ndarray, gallery: np.ndarray, pids: Any, cameras: Any, distance: str, counting: str
) -> list[oracle.Answer]:
    """Rank every query by loops."""
    asked, there = (x.astype(np.float64).tolist() for x in (query, gallery))
    measure = oracle.cosine if distance == "cosine" else oracle.nearness
    answers = []
    for row, vector in enumerate(asked):
        scores = [measure(vector, other) for other in there]
        own = None if cameras[0] is None else int(cameras[0][row])
        roles = [
            oracle.plays(int(pids[0][row]), own, int(pid), camera)
            for pid, camera in zip(pids[1], _listed(cameras[1], len(there)), strict=True)
        ]
        if int(pids[0][row]) == -1:  # junk among the queries meets nothing of its identity
            roles = ["wrong" if role in ("match", "removed") else role for role in roles]
        ties = [oracle.TIE] * len(there)
        if distance == "euclidean":
            ties = [oracle.TIE * (math.hypot(*vector) + math.hypot(*o)) ** 2 for o in there]
        answers.append(oracle.answer(scores, roles, ties, counting == "paddleclas"))
    return answers


def _listed(values: Any, count: int) -> list[int | None]:
    return [None] * count if values is None else [int(value) for value in values]


def compare(result: Any, answers: list[oracle.Answer], max_rank: int) -> None:
    """Compare ranks and scores."""
    same("first hits", result.first_hit, [a.first for a in answers], 0)
    same("AP", result.ap, [a.ap for a in answers])
    same("INP", result.inp, [a.inp for a in answers])
    firsts = [a.first for a in answers]
    same("mAP", result.mAP, oracle.mean([a.ap for a in answers]))
    same("mINP", result.mINP, oracle.mean([a.inp for a in answers]))
    same("CMC", result.cmc, [oracle.cmc(firsts, rank) for rank in range(1, max_rank + 1)])
    same("valid queries", result.num_valid_queries, sum(first > 0 for first in firsts), 0)


def same(what: str, found: Any, expected: Any, tolerance: float = 1e-12) -> None:
    """Compare numbers; NaN is equal to NaN."""
    a, b = np.asarray(found, dtype=float), np.asarray(expected, dtype=float)
    if a.shape != b.shape or not np.allclose(a, b, rtol=tolerance, atol=tolerance, equal_nan=True):
        raise Mismatch(f"{what}: {a.tolist()}, by the oracle {b.tolist()}")


def _compare_rates(result: Any, answers: list[oracle.Answer], distance: str) -> None:
    valid = [a for a in answers if a.first]
    positive = [score for a in valid for score in a.matches]
    negative = [score for a in valid for score in a.others]
    same("negative pairs", result.num_negatives, len(negative), 0)
    if distance != "cosine":
        if result.threshold_at_fpr:
            raise Mismatch("thresholds of cosines for another distance")
        return
    for rate in FPRS:
        low, high = oracle.rate_bounds(positive, negative, rate, 2 * _BIN)
        found = result.tpr_at_fpr[rate]
        if math.isnan(low) != math.isnan(found) or found < low - 1e-12 or found > high + 1e-12:
            raise Mismatch(f"TPR@FPR={rate}: {found}, by the oracle {low} to {high}")
        threshold = result.threshold_at_fpr[rate]
        _check_threshold(threshold, found, positive, negative, rate)


def _check_threshold(
    threshold: float, tpr: float, positive: list[float], negative: list[float], rate: float
) -> None:
    if math.isnan(threshold):
        few = not negative or rate * len(negative) + 1e-9 < 1
        copies = sum(n > 1 - 2 * _BIN for n in negative) > rate * len(negative)
        if not few and not copies:
            raise Mismatch(f"no threshold at {rate} for {len(negative)} negative pairs")
        return
    accepted = sum(n >= threshold for n in negative)
    if accepted > rate * len(negative) + 1e-9:
        raise Mismatch(f"threshold {threshold} accepts {accepted} negative pairs at {rate}")
    if positive:
        share = sum(p >= threshold for p in positive) / len(positive)
        same(f"share above the threshold at {rate}", share, tpr)


def _try_expansion(rng: np.random.Generator, query: np.ndarray, gallery: np.ndarray) -> None:
    number, alpha = int(rng.integers(1, 9)), float(rng.choice([0.0, 1.0, 3.0]))
    budget = None if rng.random() < 0.5 else int(rng.integers(1, 5000))
    found = expand_queries(
        query, gallery, num_neighbors=number, alpha=alpha, memory_budget=budget
    ).numpy()
    there = gallery.astype(np.float64).tolist()
    for row, vector in enumerate(query.astype(np.float64).tolist()):
        cosines = [oracle.cosine(vector, other) for other in there]
        steps = [round(c / oracle.TIE) for c in cosines]
        if any(
            abs(c / oracle.TIE - s) > 0.499 for c, s in zip(cosines, steps, strict=True)
        ):  # on the border of two multiples: rounding errors decide
            continue
        order = sorted(range(len(there)), key=lambda i: (-steps[i], i))[:number]
        total = _unit(vector)
        for place in order:
            weight = max(cosines[place], 0.0) ** alpha
            unit = _unit(there[place])
            total = [t + weight * u for t, u in zip(total, unit, strict=True)]
        if math.hypot(*total) > 1e-6:
            same(f"expanded query {row}", found[row], _unit(total), 1e-5)


def _unit(vector: list[float]) -> list[float]:
    length = math.hypot(*vector)
    return [x / length for x in vector] if length else list(vector)


PART = Part("ranking", "CMC, mAP, mINP, TPR@FPR, thresholds, query expansion", case)
