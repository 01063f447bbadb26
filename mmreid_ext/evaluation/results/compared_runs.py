"""Check the runs to be compared: each counts once, and their differences are named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mmreid_ext.errors import UserError
from mmreid_ext.evaluation.retrieval.settings import EXPANSION_DEFAULTS
from mmreid_ext.shorten import one_line, shorten


def refuse_repeats(side: str, runs: Sequence[Mapping[str, Any]], labels: Sequence[str]) -> None:
    """Refuse a model that is given twice: copies of one run have no spread over seeds.

    The same model is known by the SHA-256 of its checkpoint, of the weights in it or of its
    embeddings; in files that have none, by equal scores of every query.

    Args:
        side: Name of the side, for the message.
        runs: Its results documents.
        labels: Their files.

    Raises:
        UserError: Names the two files.
    """
    for i, first in enumerate(runs):
        for j in range(i + 1, len(runs)):
            sign = _same_model(first, runs[j])
            if sign:
                raise UserError(
                    f"{side}: {labels[i]} and {labels[j]} are one run given twice ({sign}). Copies "
                    "of a run say nothing about training seeds; leave one of them out."
                )


def _same_model(a: Mapping[str, Any], b: Mapping[str, Any]) -> str:
    """Say why two documents are of the same model; empty if they are not."""
    files = [run.get("checkpoint") or {} for run in (a, b)]
    for key in ("sha256", "weights"):  # tests write thresholds into a file; its weights stay
        hashes = [file.get(key) for file in files]
        if hashes[0] and hashes[0] == hashes[1]:
            return f"checkpoint {one_line(hashes[0], 12)}"
    shared = [name for name in a["test_sets"] if name in b["test_sets"]]
    pairs = [(a["test_sets"][name], b["test_sets"][name]) for name in shared]
    embeddings = [[(s.get("data") or {}).get("embeddings") for s in pair] for pair in pairs]
    if any(first and first == second for first, second in embeddings):
        return "the same embeddings"
    if all(file.get("sha256") for file in files) or not pairs:
        return ""
    scores = [[s["plain"]["ap"] for s in pair] for pair in pairs]
    # two models may both be perfect, or both fail wholly
    telling = any(value not in (None, 0, 1) for first, _ in scores for value in first)
    same = telling and all(first == second for first, second in scores)
    return "the same AP of every query" if same else ""


def setting_notes(a: Sequence[Mapping[str, Any]], b: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say what was evaluated differently on the two sides or within one.

    A difference may be what is being compared; unnoticed, it would be mistaken for the models'.

    Args:
        a: Documents of :func:`read_results`.
        b: Documents of the other side.
    """
    runs = [*a, *b]
    notes = []
    recorded = [run.get("settings") or {} for run in runs]  # saved features don't tell of flips
    for key in ("distance", "flip"):
        notes += _unequal(key, [settings[key] for settings in recorded if key in settings])
    expansions = [s["query_expansion"] for s in recorded if "query_expansion" in s]
    notes += _unequal("query_expansion", [e and {**EXPANSION_DEFAULTS, **e} for e in expansions])
    for name in runs[0]["test_sets"]:
        sets = [run["test_sets"].get(name) for run in runs]
        if all(s is not None and s.get("rerank") is not None for s in sets):
            settings = [{"approximate": False, **(s["rerank"].get("settings") or {})} for s in sets]
            notes += _unequal(f"re-ranking of {name}", settings)
    for side, members in (("A", a), ("B", b)):
        notes += _training_notes(side, members)
    return notes


def _training_notes(side: str, runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Runs of one side that are not seeds of one training."""
    records = [run.get("training") or {} for run in runs]
    notes = []
    configs = [record["config"] for record in records if record.get("config")]
    differing = differing_settings(configs)
    if differing:
        notes.append(f"runs of side {side} were trained differently: {differing}")
    if 0 < len(configs) < len(records):
        notes.append(
            f"{len(records) - len(configs)} of {len(records)} runs of side {side} don't say how "
            "they were trained; they may be of another training"
        )
    seeds = [record["seed"] for record in records if record.get("seed") is not None]
    repeated = sorted({seed for seed in seeds if seeds.count(seed) > 1})
    if repeated:
        notes.append(
            f"several runs of side {side} have the training seed "
            f"{shorten(map(one_line, repeated))}: they may differ less than seeds do"
        )
    return notes


def differing_settings(configs: Sequence[Mapping[str, Any]]) -> str:
    """Return the keys that differ between flat settings, each with its values; empty if none does.

    Args:
        configs: ``{'optim_wrapper.optimizer.lr': 0.1, …}`` of each run.
    """
    keys = dict.fromkeys(key for config in configs for key in config)
    found = []
    for key in keys:
        values = [config.get(key, "(not set)") for config in configs]
        if any(value != values[0] for value in values):
            distinct = [value for i, value in enumerate(values) if value not in values[:i]]
            found.append(f"{one_line(key)} = {' / '.join(one_line(v, 40) for v in distinct)}")
    return shorten(found, "; ")


def missing_notes(runs: Sequence[Mapping[str, Any]], labels: Sequence[str]) -> list[str]:
    """Say what files of earlier versions lack, and what that means for the comparison.

    Args:
        runs: Documents of :func:`read_results`.
        labels: Their files.
    """
    notes = []
    blind = [
        label
        for run, label in zip(runs, labels, strict=True)
        if any(not s.get("data") for s in run["test_sets"].values())
    ]
    if blind:
        notes.append(
            f"{', '.join(blind)}: no fingerprint of the gallery (made by an earlier version or "
            "other means); only its size was compared"
        )
    for run, label in zip(runs, labels, strict=True):
        for name, s in run["test_sets"].items():
            ap = np.array([v for v in s["plain"]["ap"] if v is not None], dtype=np.float64)
            table = s["plain"].get("mAP")
            if s["queries"].get("weight") is not None or not len(ap) or table is None:
                continue
            if abs(ap.mean() - table) > 1e-6:
                notes.append(
                    f"{label}: random splits of {one_line(name)}, but not how much each query "
                    f"counts; mAP is {100 * ap.mean():.2f} here and {100 * table:.2f} in the table "
                    "of the test. Evaluate again to have one number"
                )
    return notes


def _unequal(what: str, values: Sequence[Any]) -> list[str]:
    distinct = [value for i, value in enumerate(values) if value not in values[:i]]
    shown = shorten([one_line(value) for value in distinct])
    return [f"{one_line(what)} differs: {shown}"] if len(distinct) > 1 else []
