"""Draw protocols and split files, and say which splits they make."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from mmreid_ext.protocols.split_files import FORMAT

from .oracles import split as split_oracle
from .oracles.split import Expected, Picture

NAMES = ("camera", "no_camera", "self_retrieval", "single_gallery_shot", "sides", "picks", "lists")
"""Kinds of protocols; the last three are split files."""


def drawn_protocol(
    rng: np.random.Generator, name: str, pictures: list[Picture], folder: Path
) -> tuple[Any, list[Expected], bool]:
    """Return a protocol, its splits, and whether it fits the images."""
    ranks = [1, int(rng.integers(1, 9))]
    both = all(split_oracle.with_role(pictures, role) for role in ("query", "gallery"))
    if name in ("camera", "no_camera"):
        expected = split_oracle.by_camera(pictures, name == "camera")
        return dict(type=name, ranks=ranks), expected, both
    if name == "self_retrieval":
        spec = dict(type=name, ranks=ranks, nmi=False)
        return spec, split_oracle.by_itself(pictures), True
    seed = int(rng.choice([0, 5, 2**32 - 1]))
    if name == "single_gallery_shot":
        repeats = int(rng.integers(1, 4))
        spec = dict(type=name, repeats=repeats, seed=seed, ranks=ranks)
        return spec, split_oracle.single_shot(pictures, repeats), both
    shots = None if rng.random() < 0.5 else 1
    file = folder / "splits.json"
    spec = dict(type="split_list", file=str(file), gallery_shots=shots, seed=seed, ranks=ranks)
    if name == "lists":
        content, expected = _by_name(rng, pictures)
        file.write_text(json.dumps(content))
        return spec, expected, bool(expected)
    content = _split_file(rng, name, pictures)
    file.write_text(json.dumps(content))
    fits = _fits(content, split_oracle.paired(pictures, content))
    make = split_oracle.by_picks if name == "picks" else split_oracle.by_identities
    return spec, make(pictures, content, shots) if fits else [], fits


def _split_file(rng: np.random.Generator, name: str, pictures: list[Picture]) -> dict[str, Any]:
    """Draw a split file of this package's format; some don't fit the images."""
    sides = [{"role": "query"}, {"role": "gallery"}, {"camid": 0}, {"camid": 1}]
    query, gallery = (sides[i] for i in (rng.permutation(2) + 2 * rng.integers(0, 2)))
    content: dict[str, Any] = dict(format=FORMAT, query=query, gallery=gallery, by_position=True)
    if rng.random() < 0.5:
        content |= dict(min_pid=int(rng.integers(0, 3)), max_pid=int(rng.integers(2, 6)))
    if name == "picks":
        content["picks"] = []  # so that pairs are counted as for picks
    pairs = split_oracle.paired(pictures, content)
    if rng.random() < 0.5:
        content["count"] = len(pairs) + (rng.random() < 0.1)
    content["by_position"] = bool(rng.random() < 0.7)
    names = list(range(len(pairs))) if content["by_position"] else pairs
    content["splits"] = [
        rng.choice(names, int(rng.integers(1, len(names) + 1)), replace=False).tolist()
        if names
        else []
        for _ in range(int(rng.integers(1, 4)))
    ]
    if names and rng.random() < 0.1:
        content["splits"][-1].append(int(rng.choice([len(pairs) + 1, -1000, 10**6])))
    if name == "picks":
        content["picks"] = [
            rng.integers(0, 2**31, (len(entries), 2)).tolist() for entries in content["splits"]
        ]
    return content


def _fits(content: dict[str, Any], pairs: list[int]) -> bool:
    known = range(len(pairs)) if content["by_position"] else pairs
    if content.get("count") is not None and content["count"] != len(pairs):
        return False
    return all(e and all(entry in known for entry in e) for e in content["splits"])


def _by_name(
    rng: np.random.Generator, pictures: list[Picture]
) -> tuple[list[dict[str, Any]], list[Expected]]:
    content, expected = [], []
    for trial in range(int(rng.integers(1, 4))):
        rows = rng.permutation(len(pictures)).tolist()
        cut = int(rng.integers(1, len(rows)))
        names = [pictures[row].name.replace("\\", "/") for row in rows]
        if rng.random() < 0.5:
            names = [name.split("/")[-1] for name in names]
        entries: list[Any] = [[n, 1, 2] for n in names] if rng.random() < 0.5 else names
        content.append({"query": entries[:cut], "gallery": entries[cut:]})
        expected.append(Expected(rows[:cut], rows[cut:], {}, trial))
    if rng.random() < 0.1:
        content[-1]["query"].append("nowhere/none.jpg")
        return content, []
    return content, expected
