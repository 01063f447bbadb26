"""Results for people (one table) and for programs (one JSON file)."""

from __future__ import annotations

import hashlib
import json
import math
import os
import platform
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from mmreid_ext.errors import MissingFileError, UserError

from .set_evaluation import SetResult
from .trials import Scores

RESULTS_FORMAT = "mmreid_ext-results-1"
_PACKAGES = ("mmreid_ext", "torch", "numpy", "mmengine", "mmcv", "mmcv-lite", "mmpretrain")


def format_table(results: Mapping[str, SetResult]) -> str:
    """One table of all test sets, percent with two decimals, a second row where re-ranked.

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
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    texts = [
        "  ".join(_align(i, c, w) for i, (c, w) in enumerate(zip(line, widths, strict=True)))
        for line in lines
    ]
    texts.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(["Retrieval, in percent", *(text.rstrip() for text in texts)])


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
        (key for key in found if key[0] == "R" and key[1:].isdigit()), key=lambda k: int(k[1:])
    )
    first = [key for key in ("test set", "queries", "gallery", "mAP", "mINP") if key in found]
    return first + ranks + [key for key in found if key not in first and key not in ranks]


def _align(column: int, text: str, width: int) -> str:
    return text.ljust(width) if column == 0 else text.rjust(width)


def flat_metrics(results: Mapping[str, SetResult]) -> dict[str, float]:
    """``{'<set>/mAP': percent, …}`` of all test sets."""
    return {
        f"{name}/{key}": value for name, r in results.items() for key, value in r.metrics().items()
    }


def results_document(
    results: Mapping[str, SetResult],
    settings: Mapping[str, Any] | None = None,
    checkpoint: str | os.PathLike | None = None,
) -> dict[str, Any]:
    """Everything about an evaluation, ready for :func:`write_results`.

    Args:
        results: By name of the test set.
        settings: How it was run (configuration, seed, flip, distance, …); kept as it is.
        checkpoint: File of the weights; its SHA-256 is written down.
    """
    return {
        "format": RESULTS_FORMAT,
        "metrics": flat_metrics(results),
        "settings": dict(settings or {}),
        "checkpoint": None if checkpoint is None else describe_checkpoint(checkpoint),
        "versions": versions(),
        "test_sets": {name: _describe(result) for name, result in results.items()},
    }


def _describe(result: SetResult) -> dict[str, Any]:
    return {
        "protocol": result.protocol,
        "num_queries": result.num_queries,
        "num_gallery": result.num_gallery,
        "seconds": result.seconds,
        "extras": result.extras,
        "queries": {
            "name": result.query_names,
            "pid": result.query_pids,
            "camid": result.query_camids,
        },
        "plain": _describe_scores(result.plain),
        "rerank": None
        if result.reranked is None
        else {"settings": result.rerank, **_describe_scores(result.reranked)},
    }


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
        "roc": scores.roc,
    }


def write_results(path: str | os.PathLike, document: Mapping[str, Any]) -> Path:
    """Write a results document as JSON; missing values (NaN) become null. Folders are made.

    Args:
        path: File to write; replaced only by a complete one.
        document: From :func:`results_document`.
    """
    from mmreid_ext.checkpoint.atomic import atomic_open  # its package imports MMEngine

    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(_plain(document), ensure_ascii=False, allow_nan=False, indent=1)
    with atomic_open(path, "w", encoding="utf-8") as file:
        file.write(text + "\n")
    return path


def read_results(path: str | os.PathLike) -> dict[str, Any]:
    """Read what :func:`write_results` wrote.

    Raises:
        MissingFileError: If there is no such file.
        ValueError: If the file isn't such a document.
    """
    if not Path(path).is_file():
        raise MissingFileError(f"No results file {path}.")
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not JSON: {error}.") from error
    if not isinstance(document, dict) or document.get("format") != RESULTS_FORMAT:
        raise UserError(
            f"{path} is not a results file ({RESULTS_FORMAT!r}). Write one with "
            "`python tools/test.py CONFIG CHECKPOINT --out results.json`."
        )
    return document


def _plain(value: Any) -> Any:
    """``value`` as JSON types."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (str, bool, int)):
        return value
    return str(value)


def describe_checkpoint(path: str | os.PathLike) -> dict[str, Any]:
    """File name and SHA-256 of a checkpoint."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return {"file": Path(path).name, "sha256": digest.hexdigest()}


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that influence a result."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
