"""Read split files: ours (identities by position, independent of file names) and published ones."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.shorten import one_line

from .split_content import check_identity_splits, identity_names, image_names, read_json

FORMAT = "mmreid_ext-splits-1"

_MOST_DIGITS = 18  # of a number; it stays within 64 bits


@dataclass
class IdentitySplits:
    """Test identities of every split.

    Args:
        splits: Per split, the test identities: positions in the sorted list of the set's paired
            identities (those with an image on both sides), or identities themselves if
            ``by_position`` is False.
        by_position: See ``splits``.
        count: Number of paired identities the file was made for, checked. None: not checked.
        min_pid: Smallest paired identity; images below are distractors.
        max_pid: Largest paired identity; images above are distractors.
        query: ``{'camid': c}`` or ``{'role': r}``: the images that may be queries.
        gallery: The same for the gallery.
        picks: Per split and identity, two integers that pick the query image and the gallery image
            among *all* images of the identity (sorted by camera, then name); None: by ``query`` and
            ``gallery``.
    """

    splits: list[list[int]]
    by_position: bool = True
    count: int | None = None
    min_pid: int | None = None
    max_pid: int | None = None
    query: dict[str, Any] = field(default_factory=lambda: {"role": "query"})
    gallery: dict[str, Any] = field(default_factory=lambda: {"role": "gallery"})
    picks: list[list[list[int]]] | None = None


@dataclass
class ImageSplits:
    """Query and gallery images of every split, by name."""

    splits: list[tuple[list[str], list[str]]]


def read_splits(file: str | os.PathLike) -> IdentitySplits | ImageSplits:
    """Read a split file.

    Args:
        file: ``'viper'``, ``'prid2011'``, ``'grid'`` or ``'ilids'`` for the ones of this package,
            or the path of a file: this package's format; the JSON lists that circulate with
            torchreid and fast-reid (``splits_single_shot.json`` of PRID2011: directories of
            identities; ``splits.json`` of VIPeR, GRID, i-LIDS: ``[path, pid, camid]`` per image);
            GRID's ``features_and_partitions.mat``.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If its format isn't one of these.
    """
    shipped = resources.files(__package__) / "splits" / f"{file}.json"
    if re.fullmatch(r"\w+", str(file)) and shipped.is_file():
        return _from_json(json.loads(shipped.read_text(encoding="utf-8")), str(file))
    path = Path(file)
    if not path.is_file():
        raise MissingFileError(
            f"No split file {str(file)!r}: give a path, or one of 'viper', 'prid2011', 'grid', "
            "'ilids'."
        )
    if path.suffix == ".mat":
        return _from_grid_mat(path)
    return _from_json(read_json(path), str(path))


def _from_json(content: Any, where: str) -> IdentitySplits | ImageSplits:
    if isinstance(content, Mapping) and content.get("format") == FORMAT:
        check_identity_splits(content, where)
        keys = ("by_position", "count", "min_pid", "max_pid", "query", "gallery", "picks")
        options = {key: content[key] for key in keys if content.get(key) is not None}
        return IdentitySplits(content["splits"], **options)
    if isinstance(content, list) and content and all(isinstance(s, Mapping) for s in content):
        if all("query" in s and "gallery" in s for s in content):
            return ImageSplits(
                [
                    (
                        image_names(s["query"], f"{where}: 'query'"),
                        image_names(s["gallery"], f"{where}: 'gallery'"),
                    )
                    for s in content
                ]
            )
        if all("train" in s and "test" in s for s in content):
            return _from_identity_names(content, where)
    raise UserError(
        f"{where} is not a split file this package knows: neither its own format ({FORMAT!r}) "
        "nor a list of splits with 'query' and 'gallery' images "
        "or 'train' and 'test' identities."
    )


def _from_identity_names(content: list[Mapping], where: str) -> IdentitySplits:
    def numbers(split: Mapping, side: str) -> list[int]:
        return [_number(name, where) for name in identity_names(split[side], f"{where}: {side!r}")]

    splits = [numbers(split, "test") for split in content]
    paired = {n for split in content for n in numbers(split, "train")}.union(*splits)
    if not all(splits):
        raise UserError(f"{where}: a split has no test identity; the split file is damaged.")
    return IdentitySplits(splits, by_position=False, min_pid=min(paired), max_pid=max(paired))


def _number(name: str, where: str) -> int:
    """Return the last number of a name."""
    found = re.search(r"(\d+)\D*$", name)
    if not found or len(found[1]) > _MOST_DIGITS:
        raise UserError(
            f"{where}: identity {one_line(name)!r} contains no number of at most {_MOST_DIGITS} "
            "digits."
        )
    return int(found[1])


def _from_grid_mat(path: Path) -> IdentitySplits:
    from scipy.io import loadmat  # reads numbers only; needed for this one file

    try:
        partitions = loadmat(path)["trainIdxAll"][0]
        train = [sorted(int(i) for i in p[0][0][2][0]) for p in partitions]
    except (KeyError, IndexError, TypeError, ValueError, OverflowError) as error:
        raise UserError(f"{path} is not GRID's features_and_partitions.mat: {error!r}.") from error
    paired = range(1, 251)
    splits = [[i for i in paired if i not in set(ids)] for ids in train]
    return IdentitySplits(splits, by_position=False, min_pid=1, max_pid=250)
