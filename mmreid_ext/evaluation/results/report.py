"""Results for people (one table) and for programs (one JSON file)."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from mmreid_ext.checkpoint.fingerprint import file_sha256, weights_fingerprint
from mmreid_ext.evaluation.embedding_set import EmbeddingSet
from mmreid_ext.evaluation.from_disk.disk_features import DiskFeatures
from mmreid_ext.evaluation.set_result import SetResult
from mmreid_ext.evaluation.trials import Scores
from mmreid_ext.protocols.image_table import ROLES

from .image_names import array_fingerprint, image_fingerprint, relative_names, without_folders
from .results_file import RESULTS_FORMAT
from .table import text_table
from .tables.similarities import format_open_set, format_thresholds

_PACKAGES = (
    *("mmreid_ext", "torch", "torchvision", "numpy", "Pillow"),
    *("opencv-python", "opencv-python-headless", "opencv-contrib-python"),
    "opencv-contrib-python-headless",
    *("mmengine", "onedl-mmengine", "mmcv", "mmcv-lite", "mmpretrain", "onedl-mmpretrain"),
)


def format_table(results: Mapping[str, SetResult]) -> str:
    """Return one table of all test sets, percent with two decimals, a second row where re-ranked.

    Args:
        results: By name of the test set.
    """
    rows: list[dict[str, str]] = []
    for name, result in results.items():
        base = {
            "test set": name,
            "queries": f"{result.plain.num_valid_queries}/{len(result.plain.rows)}",
            "gallery": str(result.num_gallery),
        }
        extras = {key: 100 * value for key, value in result.extras.items()}
        rows.append(base | _cells(result.plain.percent() | extras))
        if result.reranked is not None:
            rows.append({"test set": f"{name} (re-ranked)"} | _cells(result.reranked.percent()))
    columns = _columns(rows)
    lines = [columns, *([row.get(column, "") for column in columns] for row in rows)]
    return f"Retrieval, in percent\n{text_table(lines, left=1)}"


def format_tables(results: Mapping[str, SetResult]) -> str:
    """Return the table of metrics, and below it those of similarities, where there are any.

    Args:
        results: By name of the test set.
    """
    tables = (format_table(results), format_thresholds(results), format_open_set(results))
    return "\n\n".join(filter(None, tables))


def _cells(percent: Mapping[str, float]) -> dict[str, str]:
    cells = {}
    for key, value in percent.items():
        if not key.endswith("_std"):
            deviation = percent.get(f"{key}_std")
            cells[key] = f"{value:.2f}" + ("" if deviation is None else f" ± {deviation:.2f}")
    return cells


def _columns(rows: Iterable[Mapping[str, str]]) -> list[str]:
    found = list(dict.fromkeys(key for row in rows for key in row))
    ranks = sorted(
        (key for key in found if key[0] == "R" and key[1:].isdecimal() and len(key) < 20),
        key=lambda k: int(k[1:]),
    )
    first = [key for key in ("test set", "queries", "gallery", "mAP", "mINP") if key in found]
    return first + ranks + [key for key in found if key not in first and key not in ranks]


def flat_metrics(results: Mapping[str, SetResult]) -> dict[str, float]:
    """``{'<set>/mAP': percent, …}`` of all test sets."""
    return {
        f"{name}/{key}": value for name, r in results.items() for key, value in r.metrics().items()
    }


def results_document(
    results: Mapping[str, SetResult],
    settings: Mapping[str, Any] | None = None,
    checkpoint: str | os.PathLike | Mapping[str, Any] | None = None,
    *,
    embeddings: EmbeddingSet | None = None,
    training: Mapping[str, Any] | None = None,
    pid_names: Mapping[str, Mapping[int, str]] | None = None,
) -> dict[str, Any]:
    """Return everything about an evaluation, ready for :func:`write_results`.

    Folders of this machine are left out: images are named from the folder that all images of a test
    set share, and absolute paths among the settings keep their last part.

    Args:
        results: By name of the test set.
        settings: How it was run (configuration, seed, flip, distance, …).
        checkpoint: File of the weights, its SHA-256 is written down; or what
            :func:`describe_checkpoint` says.
        embeddings: What was evaluated, of all test sets. It gives the fingerprints of query,
            gallery and embeddings by which :func:`.comparison.compare` knows
            the same data and the same model.
        training: How the model was trained, see :func:`.training_record.training_record`.
        pid_names: Names that the user gave to identities, by test set. Defaults to those of the
            results.
    """
    if checkpoint is not None and not isinstance(checkpoint, Mapping):
        checkpoint = describe_checkpoint(checkpoint)
    images = {} if embeddings is None else dict(embeddings.by_dataset())
    named = pid_names or {}
    return {
        "format": RESULTS_FORMAT,
        "metrics": flat_metrics(results),
        "settings": without_folders(dict(settings or {})),
        "checkpoint": checkpoint,
        "training": without_folders(training),
        "versions": versions(),
        "test_sets": {
            name: _describe(result, images.get(name), named.get(name) or result.pid_names)
            for name, result in results.items()
        },
    }


def _describe(
    result: SetResult, images: EmbeddingSet | None, pid_names: Mapping[int, str]
) -> dict[str, Any]:
    names, folder = relative_names(result.query_names if images is None else images.names)
    shown = dict(zip(map(str, images.names), names, strict=True)) if images is not None else None
    queries: dict[str, Any] = {
        "name": names if shown is None else [shown[str(name)] for name in result.query_names],
        "pid": result.query_pids,
        "camid": result.query_camids,
    }
    people = {int(pid) for pid in result.query_pids}
    if people & set(pid_names):
        queries["pid_names"] = {pid: pid_names[pid] for pid in sorted(people & set(pid_names))}
    if len(set(result.plain.weights.tolist()) - {0.0}) > 1:  # of random splits
        queries["weight"] = result.plain.weights
    return {
        "protocol": result.protocol,
        "num_queries": result.num_queries,
        "num_gallery": result.num_gallery,
        "seconds": result.seconds,
        "extras": result.extras,
        "data": None if images is None else data_record(images, names),
        "queries": queries,
        "plain": _describe_scores(result.plain),
        "open_set": None if result.open_set is None else asdict(result.open_set),
        "rerank": None
        if result.reranked is None
        else {"settings": result.rerank, **_describe_scores(result.reranked)},
    }


def data_record(images: EmbeddingSet, names: Sequence[str] | None = None) -> dict[str, Any]:
    """Return the fingerprints of a test set's queries, gallery and embeddings, in any order.

    Args:
        images: One test set.
        names: Its images from :func:`relative_names`. Defaults to reading them from ``images``.
    """
    short = np.array(relative_names(images.names)[0] if names is None else names, dtype=np.str_)
    feats = images.feats if isinstance(images.feats, DiskFeatures) else images.feats.numpy()
    record: dict[str, Any] = {}
    for role in ROLES:
        rows = images.roles == role
        record[role] = image_fingerprint(
            short[rows].tolist(), images.pids[rows], images.camids[rows]
        )
    return record | {"embeddings": array_fingerprint(feats)}


def _describe_scores(scores: Scores) -> dict[str, Any]:
    return {
        "num_valid_queries": scores.num_valid_queries,
        "mAP": scores.mAP,
        "mINP": scores.mINP,
        "cmc": scores.cmc,
        "std": scores.std,
        "ap": scores.ap,
        "top1": scores.top1,
        "tpr_at_fpr": scores.tpr_at_fpr,
        "threshold_at_fpr": scores.threshold_at_fpr,
        "num_negatives": scores.num_negatives,
        "roc": scores.roc,
    }


def describe_checkpoint(path: str | os.PathLike) -> dict[str, Any]:
    """Return file name and SHA-256 of a checkpoint, and that of its weights alone.

    A test writes thresholds into the file it tested. So ``sha256`` may change, ``weights`` doesn't;
    a file of other content has no ``weights``.
    """
    found = {"file": Path(path).name, "sha256": file_sha256(path)}
    weights = weights_fingerprint(path)
    return found if weights is None else found | {"weights": weights}


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that influence a result."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
