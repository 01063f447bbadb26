"""The same test set in several results files: checked, and its queries brought into one order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from mmreid_ext.errors import UserError
from mmreid_ext.shorten import one_line

from .image_names import relative_names


def matched_queries(name: str, sets: Sequence[Mapping[str, Any]]) -> list[np.ndarray]:
    """Return, per run, the places of its queries in one common order.

    Queries are matched by their path from the folder that all of them share, by identity and by
    camera, so the same set read from another place matches.

    Args:
        name: Name of the test set.
        sets: Its entry in the results document of every run.

    Raises:
        UserError: If protocol, queries or gallery differ.
    """
    shown = repr(one_line(name))
    if any(s["protocol"] != sets[0]["protocol"] for s in sets):
        named = ", ".join(one_line(repr(s["protocol"])) for s in sets)
        raise UserError(
            f"Test set {shown} was evaluated under different protocols: {named}. Only the same "
            "protocol compares."
        )
    keys = [_keys(s["queries"]) for s in sets]
    if any(sorted(k) != sorted(keys[0]) for k in keys):
        raise UserError(
            f"The files don't have the same queries of test set {shown} "
            f"({_counts(map(len, keys))} queries{_example(keys, sets)}): "
            "they were made on different data. Evaluate all models on the same test set."
        )
    _check_gallery(shown, sets)
    if len(set(keys[0])) < len(keys[0]):  # unnamed images: only the order itself can match them
        if any(k != keys[0] for k in keys):
            raise UserError(f"Queries of test set {shown} have no distinct names to match them by.")
        return [np.arange(len(k)) for k in keys]
    return [np.array(sorted(range(len(k)), key=k.__getitem__), dtype=np.int64) for k in keys]


def _keys(queries: Mapping[str, Any]) -> list[tuple[str, int, int]]:
    names, _ = relative_names(queries["name"])
    return [*zip(names, queries["pid"], queries["camid"], strict=True)]


def _counts(values: Iterable[int]) -> str:
    return " against ".join(map(str, dict.fromkeys(values)))


def _example(keys: Sequence[Sequence[tuple]], sets: Sequence[Mapping[str, Any]]) -> str:
    """One query that not all have, as far as there is one."""
    named = [test_set["queries"].get("pid_names") or {} for test_set in sets]
    people = {str(pid): name for names in named for pid, name in names.items()}
    for other in keys[1:]:
        odd = sorted(set(keys[0]) ^ set(other))
        if odd:
            name, pid, camid = odd[0]
            person = one_line(people.get(str(pid), pid))
            camera = f" in camera number {camid}" if camid >= 0 else ""
            return f"; not in all of them: {one_line(name)!r} of identity {person}{camera}"
    return ""


def _check_gallery(shown: str, sets: Sequence[Mapping[str, Any]]) -> None:
    """Refuse another gallery: by its fingerprint where the files have one, else by its size."""
    records = [(s.get("data") or {}).get("gallery") for s in sets]
    known = [record["sha256"] for record in records if record]
    sizes = [s["num_gallery"] for s in sets if s.get("num_gallery") is not None]
    images = [record["images"] for record in records if record]
    if len(set(known)) <= 1 and len(set(sizes)) <= 1:
        return
    if len(set(images)) > 1:
        what = f"{_counts(images)} images"
    elif len(set(sizes)) > 1:
        what = f"{_counts(sizes)} images"
    else:
        what = f"{_counts(images)} images, but not the same ones"
    raise UserError(
        f"The files don't have the same gallery of test set {shown} ({what}): a larger gallery is "
        "harder. Evaluate all models on the same test set."
    )


def query_weights(
    name: str, sets: Sequence[Mapping[str, Any]], order: Sequence[np.ndarray]
) -> np.ndarray | None:
    """Return the weight of each query in the mean over random splits, in the common order.

    None where every query counts the same, or where no file says (written by an earlier version).

    Raises:
        UserError: If the files disagree.
    """
    found = [
        np.array(s["queries"]["weight"], dtype=np.float64)[places]
        for s, places in zip(sets, order, strict=True)
        if s["queries"].get("weight") is not None
    ]
    if not found:
        return None
    if any(not np.allclose(weights, found[0], rtol=1e-6, atol=0) for weights in found[1:]):
        raise UserError(
            f"Test set {one_line(name)!r} was evaluated on different random splits: its queries "
            "do not count alike in all files. Evaluate all models with the same version."
        )
    return found[0]
