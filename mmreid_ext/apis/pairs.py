"""Compare many pairs of image files; every file is embedded once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from mmreid_ext.datasets.readers.csv_table import read_table
from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.pictures.folder import list_images
from mmreid_ext.verdicts.answers import Comparison, judge

from .search import Progress, cosine

if TYPE_CHECKING:
    from .inferencer import ReIDInferencer

Pair = tuple[str, str]

_COLUMNS = ("a", "b")


def pairs_of(a: str | os.PathLike, b: str | os.PathLike) -> list[Pair]:
    """Return the pair of two files; for folders, every image of one with every image of the other.

    Raises:
        UserError: If a folder has no image, or a file isn't there.
    """
    return list(product(_files(Path(a)), _files(Path(b))))


def listed_pairs(csv_file: str | os.PathLike) -> list[Pair]:
    """Read pairs from a CSV file with the columns ``a`` and ``b``.

    Paths are relative to the folder of the file.

    Raises:
        UserError: If the table can't be used, or a file isn't there; names the line.
    """
    path = Path(csv_file)
    if not path.is_file():
        raise MissingFileError(f"No list of pairs {path}.")
    _, rows = read_table(path, _COLUMNS, _COLUMNS)
    found = []
    for row in rows:
        files = [path.parent / row.cells[column] for column in _COLUMNS]
        for file in files:
            if not file.is_file():
                raise MissingFileError(f"{path}, line {row.line}: there is no file {str(file)!r}.")
        found.append((str(files[0]), str(files[1])))
    if not found:
        raise UserError(f"{path} lists no pair; write one row for each, with the columns a and b.")
    return found


def compare_pairs(
    inferencer: ReIDInferencer, pairs: Sequence[Pair], progress: Progress | None = None
) -> list[Comparison]:
    """Say for each pair how similar it is, and whether it shows one person.

    Args:
        inferencer: The model.
        pairs: Image files.
        progress: Called with ('images', done, in all) before each image.
    """
    places = {path: place for place, path in enumerate(dict.fromkeys(_flat(pairs)))}
    embeddings = inferencer(_followed(list(places), progress))
    first, second = ([places[pair[side]] for pair in pairs] for side in (0, 1))
    similarities = cosine(embeddings[first], embeddings[second])
    return [judge(similarity, inferencer.thresholds) for similarity in similarities]


def _followed(paths: list[str], progress: Progress | None) -> Iterator[str]:
    for done, path in enumerate(paths):
        if progress is not None:
            progress("images", done, len(paths))
        yield path


def _flat(pairs: Iterable[Pair]) -> Iterable[str]:
    return (path for pair in pairs for path in pair)


def _files(path: Path) -> list[str]:
    if not path.is_dir():
        if not path.is_file():
            raise MissingFileError(f"There is no file {str(path)!r}.")
        return [str(path)]
    found = [str(image) for image in list_images(path)]
    if not found:
        raise UserError(f"Folder {str(path)!r} has no image.")
    return found
