"""Read random splits from explicit split files: VIPeR, PRID2011, GRID, i-LIDS."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmreid_ext.errors import UserError
from mmreid_ext.shorten import brief, shorten

from .image_table import ImageColumns
from .protocol import EvaluationProtocol, Split
from .sampling import one_per_identity, stable_generator
from .split_files import IdentitySplits, ImageSplits, read_splits


@dataclass(frozen=True)
class SplitListProtocol(EvaluationProtocol):
    """Several query/gallery splits of one set of images, from a file.

    There is no camera rule: the lists say who meets whom. Gallery images of identities that no
    split pairs (PRID2011's 201 and above, GRID's 0) are distractors in every split.

    Args:
        file: Name of a split file of this package or a path, see :func:`read_splits`.
        gallery_shots: 1 keeps one image per test identity in the gallery (single-shot), sampled
            by ``seed``; None keeps all (multi-shot).
        seed: For ``gallery_shots=1``.
        ranks: The k of the reported R@k.
    """

    file: str
    gallery_shots: int | None = None
    seed: int = 0
    ranks: tuple[int, ...] = (1, 5, 10, 20)
    random = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.gallery_shots not in (None, 1):
            raise UserError(f"gallery_shots must be 1 or None (all), got {self.gallery_shots!r}.")
        stable_generator(self.seed)
        read_splits(self.file)  # a missing or foreign file is found here, not after the extraction

    def splits(self, images: ImageColumns) -> Iterator[Split]:
        """Yield one trial per split of the file."""
        lists = read_splits(self.file)
        if isinstance(lists, ImageSplits):
            yield from self._by_name(images, lists)
        elif lists.picks is not None:
            yield from self._by_pick(images, lists)
        else:
            yield from self._by_side(images, lists)

    def matching_split(self, images: ImageColumns) -> Split:
        """Return the first split, once all of them are known to fit."""
        return list(self.splits(images))[0]

    def _by_side(self, images: ImageColumns, lists: IdentitySplits) -> Iterator[Split]:
        is_person = ~images.distractors
        query_side, gallery_side = _side(images, lists.query), _side(images, lists.gallery)
        shared = np.intersect1d(
            images.pids[query_side & is_person], images.pids[gallery_side & is_person]
        )
        paired = _paired(lists, shared)
        self._check_count(images, lists, len(paired))
        distractor = gallery_side & ~(is_person & _within(lists, images.pids))
        generator = stable_generator(self.seed)
        for trial, entries in enumerate(lists.splits):
            pids = self._test_pids(images, lists, paired, entries)
            is_test = is_person & np.isin(images.pids, pids)
            gallery = np.flatnonzero(gallery_side & is_test)
            if self.gallery_shots == 1:
                gallery = one_per_identity(gallery, images, generator)
            gallery = np.concatenate([gallery, np.flatnonzero(distractor)])
            yield Split(np.flatnonzero(query_side & is_test), gallery, trial)

    def _by_pick(self, images: ImageColumns, lists: IdentitySplits) -> Iterator[Split]:
        order = np.lexsort((images.names, images.camids, images.pids))
        order = order[~images.distractors[order]]
        pids, starts, counts = np.unique(images.pids[order], return_index=True, return_counts=True)
        paired = _paired(lists, pids[counts >= 2])
        self._check_count(images, lists, len(paired))
        rows_of = {p: order[s : s + c] for p, s, c in zip(pids, starts, counts, strict=True)}
        for trial, (entries, picks) in enumerate(zip(lists.splits, lists.picks or [], strict=True)):
            query, gallery = [], []
            test_pids = self._test_pids(images, lists, paired, entries)
            for pid, (first, second) in zip(test_pids, picks, strict=True):
                rows = list(rows_of[pid])
                query.append(rows.pop(first % len(rows)))
                gallery += [rows[second % len(rows)]] if self.gallery_shots == 1 else rows
            yield Split(np.array(query, dtype=np.int64), np.array(gallery, dtype=np.int64), trial)

    def _by_name(self, images: ImageColumns, lists: ImageSplits) -> Iterator[Split]:
        find = _NameIndex(images)
        for trial, (query, gallery) in enumerate(lists.splits):
            yield Split(find.rows(query), find.rows(gallery), trial)

    def _check_count(self, images: ImageColumns, lists: IdentitySplits, paired: int) -> None:
        if lists.count is not None and paired != lists.count:
            raise UserError(
                f"The splits {self.file!r} are defined on {lists.count} identities with images on "
                f"both sides, test set {images.title!r} has {paired}. Evaluate the complete set, "
                "or use the protocol 'camera' for a part of it."
            )

    def _test_pids(
        self, images: ImageColumns, lists: IdentitySplits, paired: np.ndarray, entries: list[int]
    ) -> np.ndarray:
        if lists.by_position:
            self._check_positions(images, entries, len(paired))
            return paired[np.asarray(entries, dtype=np.int64)]
        missing = sorted(set(entries) - set(paired.tolist()))
        if missing:
            raise UserError(
                f"The splits {self.file!r} name {len(missing)} identities that test set "
                f"{images.title!r} has no query and gallery image of: {shorten(missing)}."
            )
        return np.asarray(entries)

    def _check_positions(self, images: ImageColumns, entries: list[int], paired: int) -> None:
        outside = [entry for entry in entries if not 0 <= entry < paired]
        if outside:
            raise UserError(
                f"The splits {self.file!r} name positions that test set {images.title!r} doesn't "
                f"have, it has {paired} identities with images on both sides: {shorten(outside)}."
            )


def _side(images: ImageColumns, rule: dict[str, Any]) -> np.ndarray:
    """Mask of the images a rule ``{'camid': c}`` or ``{'role': r}`` selects."""
    if "camid" in rule:
        return images.camids == rule["camid"]
    return images.roles == rule["role"]


def _within(lists: IdentitySplits, pids: np.ndarray) -> np.ndarray:
    low = -np.inf if lists.min_pid is None else lists.min_pid
    high = np.inf if lists.max_pid is None else lists.max_pid
    return (pids >= low) & (pids <= high)


def _paired(lists: IdentitySplits, pids: np.ndarray) -> np.ndarray:
    return pids[_within(lists, pids)]


class _NameIndex:
    """Finds rows by the end of the image path: folder and file name, or the file name alone."""

    def __init__(self, images: ImageColumns) -> None:
        self.dataset = images.title
        self.by_end: dict[tuple[str, ...], list[int]] = {}
        for row, name in enumerate(images.names):
            parts = tuple(str(name).replace("\\", "/").split("/"))
            for end in {parts[-1:], parts[-2:]}:  # one, where there is no folder
                self.by_end.setdefault(end, []).append(row)

    def rows(self, names: list[str]) -> np.ndarray:
        return np.array([self._row(name) for name in names], dtype=np.int64)

    def _row(self, name: str) -> int:
        parts = tuple(name.replace("\\", "/").split("/"))
        for depth in (2, 1):
            found = self.by_end.get(parts[-depth:], [])
            if len(found) == 1:
                return found[0]
        raise UserError(
            f"The split file names image {brief(name)}, of which test set {self.dataset!r} has "
            f"{len(found)}."
        )
