"""Find the folders of data sets, and say what to do where one is missing."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path

from mmreid_ext.errors import MissingFileError
from mmreid_ext.shorten import shorten

DATA_ROOT_VARIABLE = "MMREID_DATA_ROOT"


def default_data_root() -> Path:
    """Return the folder of all data sets: the variable ``MMREID_DATA_ROOT``, or ``data``."""
    return Path(os.environ.get(DATA_ROOT_VARIABLE) or "data")


def find_folder(
    data_root: str | os.PathLike | None,
    names: Sequence[str],
    layouts: Sequence[Sequence[str]],
    *,
    title: str,
    obtain: str,
    exact: bool = False,
) -> Path:
    """Find the folder of one data set.

    Args:
        data_root: Folder that holds the data set's folder, or that folder itself.
            None: :func:`default_data_root`.
        names: Names the data set's folder may have, the published one first.
        layouts: Alternative sets of paths inside the folder; all paths of one of them must exist.
        title: The data set's name for the message.
        obtain: How to get the data, one sentence.
        exact: Whether the user gave the name, so that no other folder is meant. Defaults to False.

    Raises:
        FileNotFoundError: If no candidate is complete; names every folder looked for, what it
            lacks and has instead, the layout expected and how to get it.
    """
    root = default_data_root() if data_root is None else Path(data_root)
    candidates = [root / name for name in names]
    if not exact:
        candidates.append(root)
        candidates += [folder for folder in _alike(root, names) if folder not in candidates]
    for folder in candidates:
        if any(_missing(folder, layout) == [] for layout in layouts):
            return folder
    tried = "\n".join(f"  {folder}: {_state(folder, layouts)}" for folder in candidates)
    expected = "\n  or ".join(", ".join(layout) or "any images" for layout in layouts)
    raise MissingFileError(
        f"{title} was not found. Folders looked for:\n{tried}\n"
        f"Expected in a folder of one of these names:\n  {', '.join(names)}\n"
        f"the following:\n  {expected}\n"
        f"How to get it: {obtain}\n"
        "The folder of all data sets is the option data_root, or the environment variable "
        f"{DATA_ROOT_VARIABLE} (now {os.environ.get(DATA_ROOT_VARIABLE)!r}), or ./data."
    )


def _alike(root: Path, names: Sequence[str]) -> list[Path]:
    """Folders whose names are spelled a little differently, and folders nested once more.

    Unpacking an archive into a folder of its own name nests them.
    """
    around = {_bare(part) for name in names for part in Path(name).parts}
    own = {_bare(Path(name).name) for name in names}
    outer = [root, *_named(root, around), *(root / name for name in names)]
    return list(dict.fromkeys(inner for folder in outer for inner in _named(folder, own)))


def _named(folder: Path, known: Collection[str]) -> list[Path]:
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        found = [entry.name for entry in entries if _bare(entry.name) in known and entry.is_dir()]
    return [folder / name for name in sorted(found)]


def _bare(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _missing(folder: Path, layout: Sequence[str]) -> list[str]:
    if not folder.is_dir():
        return [*layout, "the folder itself"]
    return [path for path in layout if not (folder / path).exists()]


def _state(folder: Path, layouts: Sequence[Sequence[str]]) -> str:
    if not folder.is_dir():
        return "no such folder"
    nearest = min((_missing(folder, layout) for layout in layouts), key=len)
    return f"lacks {', '.join(nearest)}; {contents(folder)}"


def contents(folder: Path) -> str:
    """Say what is in ``folder``, for messages."""
    if not folder.is_dir():
        return "it is no folder" if folder.exists() else "it is not there"
    with os.scandir(folder) as entries:
        names = [e.name + "/" * e.is_dir() for e in entries if not e.name.startswith(".")]
    return f"it has {shorten(sorted(names))}" if names else "it is empty"
