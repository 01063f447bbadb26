"""Find the data sets of a configuration, a list or a folder."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import mmreid_ext.datasets as readers
from mmreid_ext.datasets.reid_dataset import ReIDDataset
from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.json_values import plain_json
from mmreid_ext.registry import DATASETS

from .findings import notes
from .plain_folder import read_plain_folder
from .read_set import SourceSet, read_set

_LISTS = (".csv", ".tsv", ".txt")
_OWN_LIST = "annotations.csv"
_LOADERS = {"train_dataloader": "train", "val_dataloader": "test", "test_dataloader": "test"}
_HOW = ("pipeline", "loader", "mode", "name", "on_corrupt", "check", "lazy_init", "serialize_data")
"""Settings that don't change what a data set holds."""


def sets_of_path(path: Path) -> list[SourceSet]:
    """Read the data set of a CSV list, of a benchmark's folder, or of a folder of people.

    Raises:
        UserError: If there is no such file or folder, or it is neither.
    """
    if path.is_file():
        if path.suffix.lower() not in _LISTS:
            raise UserError(
                f"check_dataset: {str(path)!r} is no configuration (.py), no list (.csv) "
                "and no folder; give one of these."
            )
        return [_read_list(path)]
    if not path.is_dir():
        raise MissingFileError(
            f"check_dataset: there is no file or folder {str(path)!r}; "
            "give a configuration (.py), a list (.csv) or a folder."
        )
    if (path / _OWN_LIST).is_file():
        return [_read_list(path / _OWN_LIST)]
    for kind in _benchmarks(path):
        is_named = _is_named(kind, path)
        reader = kind(path, lazy_init=True, check=False, name=kind.title if is_named else path.name)
        found = read_set(reader, whole=True)
        if found.records:
            if not is_named:  # the layout of a benchmark, other pictures
                found.findings = [one for one in found.findings if one.kind != "not_published"]
            return [found]
    return [read_plain_folder(path)]


def sets_of_config(cfg: Mapping[str, Any]) -> list[SourceSet]:
    """Read every training, validation and test set of a configuration, each once."""
    found: list[SourceSet] = []
    known = set()
    for loader, mode in _LOADERS.items():
        settings = cfg.get(loader)
        if not isinstance(settings, Mapping):
            continue
        for reader in _readers(settings.get("dataset")):
            what = {key: value for key, value in reader.items() if key not in _HOW}
            key = (json.dumps(plain_json(what), sort_keys=True), mode)
            if key not in known:
                known.add(key)
                found.append(_read_configured(reader, mode, loader))
    return found


def _read_list(path: Path) -> SourceSet:
    reader = readers.CSVDataset(path.name, path.parent, "test", lazy_init=True, check=False)
    return read_set(reader, whole=True)


def _benchmarks(folder: Path) -> Iterator[type[ReIDDataset]]:
    """Readers of this layout, those that know the folder's name first, then Market-1501's."""
    kinds = [getattr(readers, name) for name in readers.__all__]
    kinds = [
        kind
        for kind in kinds
        if isinstance(kind, type) and issubclass(kind, ReIDDataset) and kind.folder_names
    ]
    kinds.sort(key=lambda kind: (not _is_named(kind, folder), kind is not readers.Market1501))
    for kind in kinds:
        layouts = [layout for layout in kind.layouts if layout]
        if any(all((folder / part).exists() for part in layout) for layout in layouts):
            yield kind


def _is_named(kind: type[ReIDDataset], folder: Path) -> bool:
    names = {Path(name).name.lower() for name in kind.folder_names}
    return folder.resolve().name.lower() in names


def _readers(node: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the settings of the data sets behind wrappers and combinations."""
    if not isinstance(node, Mapping):
        return
    inner = [node.get("dataset"), *(node.get("datasets") or ()), *(node.get("sources") or ())]
    inner = [part for part in inner if isinstance(part, Mapping)]
    if not inner:
        yield node
    for part in inner:
        yield from _readers(part)


def _read_configured(settings: Mapping[str, Any], mode: str, loader: str) -> SourceSet:
    kind = settings.get("type")
    kind = DATASETS.get(kind) if isinstance(kind, str) else kind
    name = str(settings.get("name") or getattr(kind, "__name__", settings.get("type")))
    if not (isinstance(kind, type) and issubclass(kind, ReIDDataset)):
        found = SourceSet(name, [], name)
        found.findings += notes("unchecked", [f"{name} of {loader}"])
        return found
    options = {k: v for k, v in settings.items() if k not in ("type", "pipeline", "loader")}
    options |= {"mode": mode, "lazy_init": True, "check": False}
    try:
        return read_set(kind(**options), whole=False)
    except (UserError, TypeError) as error:
        found = SourceSet(name, [], name)
        found.findings += notes("unreadable_set", [f"{name} of {loader}: {error}"])
        return found
