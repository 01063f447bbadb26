"""Write and read results files, and check what one holds before anything is computed from it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.json_values import plain_json, read_json
from mmreid_ext.output_files.atomic import atomic_open
from mmreid_ext.setting_checks import is_finite
from mmreid_ext.shorten import one_line

RESULTS_FORMAT = "mmreid_ext-results-1"

_ROUNDING = 1e-9
"""How far a mean of rounded shares may lie outside [0, 1]."""


def write_results(path: str | os.PathLike, document: Mapping[str, Any]) -> Path:
    """Write a results document as JSON; missing values (NaN) become null. Folders are made.

    Args:
        path: File to write; replaced only by a complete one.
        document: From :func:`results_document`.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(plain_json(document), ensure_ascii=False, allow_nan=False, indent=1)
    with atomic_open(path, "w", encoding="utf-8") as file:
        file.write(text + "\n")
    return path


def read_results(path: str | os.PathLike, complete: bool = False) -> dict[str, Any]:
    """Read what :func:`write_results` wrote.

    Args:
        path: The file.
        complete: Whether every entry must be there and right that comparing reads; otherwise the
            metrics alone are checked.

    Raises:
        MissingFileError: If there is no such file.
        UserError: If the file isn't such a document; the message names the entry.
    """
    if not Path(path).is_file():
        raise MissingFileError(f"No results file {path}.")
    try:
        document = read_json(Path(path).read_text(encoding="utf-8"), parse_constant=_no_number)
    except ValueError as error:  # of JSON, UTF-8 and _no_number
        raise UserError(f"{path} is not JSON: {one_line(error)}.") from error
    if not isinstance(document, dict) or document.get("format") != RESULTS_FORMAT:
        raise UserError(
            f"{path} is not a results file ({RESULTS_FORMAT!r}). Write one with "
            "`python tools/test.py CONFIG CHECKPOINT --out results.json`."
        )
    (check_results if complete else check_metrics)(document, str(path))
    return document


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number in JSON; missing values are null")


def check_results(
    document: Mapping[str, Any], source: str = "results document", *, bounded: bool = True
) -> None:
    """Check the entries of a results document that comparing reads.

    Args:
        document: From :func:`mmreid_ext.evaluation.read_results` or ``results_document``.
        source: File it came from, for messages.
        bounded: Whether scores must lie in [0, 1].

    Raises:
        UserError: If an entry is missing, of another type, or no score; one line that names it.
    """
    sets = _entry(document, "test_sets", Mapping, source)
    check_metrics(document, source)
    for name, test_set in sets.items():
        where = f"{source}: test set {one_line(name)!r}"
        if not isinstance(test_set, Mapping):
            raise _wrong(where, test_set, "an object")
        _check_set(test_set, where, bounded)


def check_metrics(document: Mapping[str, Any], source: str = "results document") -> None:
    """Check the metrics of a results document, and that its parts are objects.

    Args:
        document: See :func:`check_results`.
        source: File it came from, for messages.

    Raises:
        UserError: If one is of another type; one line that names it.
    """
    for key in ("metrics", "settings", "training", "checkpoint", "test_sets"):
        if document.get(key) is not None:
            _entry(document, key, Mapping, source)
    training = document.get("training") or {}
    _check_optional(training, {"config": Mapping, "seed": int}, f"{source}: training")
    for key, value in (document.get("metrics") or {}).items():
        if value is not None and not _is_number(value):
            raise _wrong(f"{source}: metrics[{one_line(key)!r}]", value, "a number")


def _check_set(test_set: Mapping[str, Any], where: str, bounded: bool) -> None:
    _entry(test_set, "protocol", Mapping, where)
    queries = _entry(test_set, "queries", Mapping, where)
    count = len(_entry(queries, "name", Sequence, f"{where}, queries"))
    _check_list(queries, "name", count, f"{where}, queries", lambda v: isinstance(v, str), "text")
    for key in ("pid", "camid"):
        _check_list(queries, key, count, f"{where}, queries", _is_integer, "an integer")
    if queries.get("weight") is not None:
        _check_list(
            queries, "weight", count, f"{where}, queries", _is_fraction, "a number from 0 to 1"
        )
    _check_optional(test_set, {"data": Mapping, "num_gallery": int}, where)
    data = test_set.get("data") or {}
    _check_optional(data, {"gallery": Mapping, "embeddings": str}, f"{where}, data")
    if data.get("gallery"):
        for key, kind in {"sha256": str, "images": int}.items():
            if not isinstance(data["gallery"].get(key), kind):
                raise _wrong(f"{where}, data: 'gallery'", data["gallery"], "a fingerprint")
    _check_optional(queries, {"pid_names": Mapping}, f"{where}, queries")
    score, what = (_is_fraction, "a number from 0 to 1") if bounded else (_is_number, "a number")
    for variant in ("plain", "rerank"):
        if variant == "rerank" and test_set.get(variant) is None:
            continue
        scores = _entry(test_set, variant, Mapping, where)
        if scores.get("mAP") is not None and not _is_number(scores["mAP"]):
            raise _wrong(f"{where}, {variant}: 'mAP'", scores["mAP"], "a number")
        if variant == "rerank":
            _check_optional(scores, {"settings": Mapping}, f"{where}, rerank")
        for key in ("ap", "top1"):
            allowed = lambda value: value is None or score(value)  # noqa: E731
            _check_list(scores, key, count, f"{where}, {variant}", allowed, f"{what}, or null")


def _entry(holder: Mapping[str, Any], key: str, kind: type, where: str) -> Any:
    if key not in holder:
        raise UserError(
            f"{where} has no entry {key!r}; write the file again with `tools/test.py --out` or "
            "`tools/evaluate.py --out`."
        )
    value = holder[key]
    if not isinstance(value, kind) or isinstance(value, str):
        raise _wrong(f"{where}: {key!r}", value, "an object" if kind is Mapping else "a list")
    return value


def _check_optional(holder: Mapping[str, Any], kinds: Mapping[str, type], where: str) -> None:
    for key, kind in kinds.items():
        if holder.get(key) is not None and not isinstance(holder[key], kind):
            what = {Mapping: "an object", int: "an integer", str: "text"}[kind]
            raise _wrong(f"{where}: {key!r}", holder[key], what)


def _check_list(
    holder: Mapping[str, Any],
    key: str,
    count: int,
    where: str,
    allowed: Callable[[Any], bool],
    what: str,
) -> None:
    values = _entry(holder, key, Sequence, where)
    if len(values) != count:
        raise UserError(
            f"{where}: {key!r} has {len(values)} entries for {count} queries; the file is damaged "
            "or was edited."
        )
    for i, value in enumerate(values):
        if not allowed(value):
            raise _wrong(f"{where}: {key}[{i}]", value, what)


def _wrong(where: str, value: Any, needed: str) -> UserError:
    return UserError(
        f"{where} is {one_line(repr(value), 40)}, must be {needed}; the file is damaged or was "
        "edited."
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and is_finite(value)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_fraction(value: Any) -> bool:
    return _is_number(value) and -_ROUNDING <= value <= 1 + _ROUNDING
