"""Check what a split file holds before a protocol uses it; a stranger may have written it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmreid_ext import json_values
from mmreid_ext.errors import UserError
from mmreid_ext.setting_checks import is_whole
from mmreid_ext.shorten import brief, one_line

from .image_table import ROLES

_LOWEST, _HIGHEST = -(2**63), 2**63 - 1


def read_json(path: Path) -> Any:
    """Return the content of a JSON file.

    Raises:
        UserError: If it is none.
    """
    try:
        return json_values.read_json(path.read_text(encoding="utf-8"))
    except ValueError as error:  # of JSON and of UTF-8
        raise UserError(f"{path} is not JSON: {one_line(error)}.") from error


def check_identity_splits(content: Mapping[str, Any], where: str) -> None:
    """Check a file of this package's format; see :class:`.split_files.IdentitySplits`.

    Raises:
        UserError: If an entry is missing or of another type; names it.
    """
    splits = _list(content.get("splits"), f"{where}: 'splits'")
    for place, entries in enumerate(splits):
        for entry in _list(entries, f"{where}: splits[{place}]"):
            _whole(entry, f"{where}: an entry of splits[{place}]")
    if not isinstance(content.get("by_position", True), bool):
        raise _wrong(f"{where}: 'by_position'", content["by_position"], "true or false")
    for key in ("count", "min_pid", "max_pid"):
        if content.get(key) is not None:
            _whole(content[key], f"{where}: {key!r}")
    for key in ("query", "gallery"):
        if content.get(key) is not None:
            _check_side(content[key], f"{where}: {key!r}")
    if content.get("picks") is not None:
        _check_picks(content["picks"], splits, where)


def _check_side(rule: Any, where: str) -> None:
    alone = isinstance(rule, Mapping) and len(rule) == 1
    if not alone or not (
        is_whole(rule.get("camid"), _LOWEST, _HIGHEST) or rule.get("role") in ROLES
    ):
        raise _wrong(where, rule, '{"camid": NUMBER} or {"role": "query"} or {"role": "gallery"}')


def _check_picks(picks: Any, splits: Sequence[Any], where: str) -> None:
    if len(_list(picks, f"{where}: 'picks'")) != len(splits):
        raise UserError(f"{where}: 'picks' has {len(picks)} entries for {len(splits)} splits.")
    for place, (pairs, entries) in enumerate(zip(picks, splits, strict=True)):
        if len(_list(pairs, f"{where}: picks[{place}]")) != len(entries):
            raise UserError(
                f"{where}: picks[{place}] has {len(pairs)} entries for {len(entries)} identities."
            )
        for pair in pairs:
            if len(_list(pair, f"{where}: an entry of picks[{place}]")) != 2:
                raise _wrong(f"{where}: an entry of picks[{place}]", pair, "two numbers")
            for number in pair:
                _whole(number, f"{where}: a number of picks[{place}]")


def image_names(entries: Any, where: str) -> list[str]:
    """Return the names of a list of images, or of lists that begin with a name.

    Raises:
        UserError: If an entry is something else.
    """
    names = []
    for entry in _list(entries, where):
        name = entry[0] if isinstance(entry, list) and entry else entry
        if not isinstance(name, str):
            raise _wrong(f"{where}: an entry", entry, "the path of an image")
        names.append(name)
    return names


def identity_names(entries: Any, where: str) -> list[str]:
    """Return the names of identities; numbers become text.

    Raises:
        UserError: If an entry is something else.
    """
    names = []
    for entry in _list(entries, where, empty=True):
        if not isinstance(entry, str) and not is_whole(entry, 0, _HIGHEST):
            raise _wrong(f"{where}: an entry", entry, "the name of an identity")
        names.append(str(entry))
    return names


def _list(value: Any, where: str, empty: bool = False) -> list[Any]:
    if not isinstance(value, list) or not (value or empty):
        raise _wrong(where, value, "a list" if empty else "a list with something in it")
    return value


def _whole(value: Any, where: str) -> None:
    if not is_whole(value, _LOWEST, _HIGHEST):
        raise _wrong(where, value, "a whole number")


def _wrong(where: str, value: Any, needed: str) -> UserError:
    return UserError(f"{where} is {brief(value)}, must be {needed}; the split file is damaged.")
