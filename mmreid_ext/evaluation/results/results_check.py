"""Check what a results file holds before anything is computed from it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mmreid_ext.errors import UserError
from mmreid_ext.shorten import one_line


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
    """Check the figures of a results document, and that its parts are objects.

    Args:
        document: See :func:`check_results`.
        source: File it came from, for messages.

    Raises:
        UserError: If one is of another type; one line that names it.
    """
    for key in ("metrics", "settings", "training", "checkpoint", "test_sets"):
        if document.get(key) is not None:
            _entry(document, key, Mapping, source)
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
    score, what = (_is_fraction, "a number from 0 to 1") if bounded else (_is_number, "a number")
    for variant in ("plain", "rerank"):
        if variant == "rerank" and test_set.get(variant) is None:
            continue
        scores = _entry(test_set, variant, Mapping, where)
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
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and math.isfinite(value)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_fraction(value: Any) -> bool:
    return _is_number(value) and -1e-9 <= value <= 1 + 1e-9  # sums of rounded shares
