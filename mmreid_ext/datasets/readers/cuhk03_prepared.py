"""CUHK03 as other people have prepared it: folders of the new protocol, or images with JSON lists.

Both number the identities of training and test independently.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mmreid_ext.datasets.records import Record
from mmreid_ext.errors import UserError
from mmreid_ext.json_values import read_json

from .cuhk03_archive import parse_name

NP_PARTS = dict(train="bounding_box_train", query="query", gallery="bounding_box_test")
_NP_NAME = re.compile(r"(?P<pid>\d+)_c(?P<cam>\d+)_")

ReadFolder = Callable[[Path, str, re.Pattern], Any]


def read_np(folder: Path, read_folder: ReadFolder) -> list[Record]:
    """Read ``bounding_box_train``, ``query``, ``bounding_box_test`` of CUHK03-NP.

    Names are ``<pid:4>_c<camera>_<number>.png``.

    Args:
        folder: ``detected`` or ``labeled``.
        read_folder: :meth:`~.reid_dataset.ReIDDataset.read_folder` of the reader.
    """
    return [
        record
        for role, part in NP_PARTS.items()
        for record in read_folder(folder / part, role, _NP_NAME)
    ]


def read_split_file(file: Path, images: Path, split: int = 0) -> list[Record]:
    """Read one split of a list as torchreid writes it: ``[[path, pid, camid], ...]`` per role.

    The paths are those of the machine that wrote the list; only the file names are used.

    Args:
        file: ``splits_new_<boxes>.json`` or ``splits_classic_<boxes>.json``.
        images: Folder of the images.
        split: Number of the split in the list.

    Raises:
        UserError: If the file is not of that form, or has no such split.
    """
    try:
        splits = read_json(file.read_text(encoding="utf-8"))
        roles = {role: splits[split][role] for role in NP_PARTS}
        return [
            _record(images / re.split(r"[/\\]", path)[-1], int(pid), role)
            for role, rows in roles.items()
            for path, pid, _ in rows
        ]
    except IndexError:
        raise UserError(f"{file} has the splits 0 to {len(splits) - 1}, not {split}.") from None
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{file} is not a list of splits with [path, pid, camid] for train, query and gallery "
            f"({type(error).__name__}: {error})."
        ) from None


def _record(path: Path, pid: int, role: str) -> Record:
    return dict(img_path=str(path), pid=pid, camid=parse_name(path.name)[2], role=role)
