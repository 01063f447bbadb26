"""Look at built data sets before a training: what is in them, and whether the files are pictures.

It costs hundredths of a second. ``tools/check_dataset.py`` looks at every picture.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmreid_ext.datasets.record_dataset import RecordDataset
from mmreid_ext.errors import UserError
from mmreid_ext.image_loading import only_decodes
from mmreid_ext.shorten import several, shorten

from .first_bytes import no_picture_message, picture_kind, read_first
from .located import Located
from .set_counts import SetCounts, count_set
from .shared_people import trained_on_messages

_LOOKED_INTO = 512  # files of each set, spread evenly: a hundredth of a second on a local disk
_SECONDS = 2.0  # for the first bytes of one set, on a slow network disk


@dataclass(frozen=True)
class QuickCheck:
    """What a quick look at the data sets of a training has found.

    Args:
        train: Counts of the training set.
        tests: Counts of the test sets.
        missing: Files that are not there.
        looked: Files whose first bytes were read.
        faults: What will stop the training or an evaluation.
        warnings: What flatters a score, or is odd.
    """

    train: SetCounts
    tests: tuple[SetCounts, ...]
    missing: int = 0
    looked: int = 0
    faults: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """One line for the start of a training."""
        files = f"{several(self.missing, 'file')} missing" if self.missing else "all files there"
        if self.looked:
            files += f", {self.looked:,} looked into"
        odd = len(self.faults) + len(self.warnings)
        state = f", {several(odd, 'warning')}" if odd else ""
        parts = [f"train {self.train.line}", *(f"test {one.line}" for one in self.tests)]
        return " | ".join([*parts, files + state])

    def require_no_fault(self) -> None:
        """Raise UserError if something will stop the training or an evaluation later."""
        if self.faults:
            raise UserError("\n".join(self.faults))


def quick_check(train: RecordDataset, tests: Sequence[RecordDataset]) -> QuickCheck:
    """Look at the data sets of a training without decoding a picture.

    Every file is looked for. The first bytes of a few hundred are read. Files and people of the
    test sets are looked for in the training set; the readers have already compared the parts of
    each set.

    Args:
        train: Training set.
        tests: Test sets.
    """
    trained = Located(train.table)
    missing = int((~trained.found).sum())
    faults, warnings, looked = _look_into(train, trained)
    for test in tests:
        files = Located(test.table)
        missing += int((~files.found).sum())
        more, odd, count = _look_into(test, files)
        faults += more
        warnings += [*trained_on_messages(train, test, trained, files), *odd]
        looked += count
    counts = count_set(train), tuple(map(count_set, tests))
    return QuickCheck(*counts, missing, looked, tuple(faults), tuple(warnings))


def _look_into(dataset: RecordDataset, files: Located) -> tuple[list[str], list[str], int]:
    """Read first bytes; returns faults, warnings and the number of files that were read."""
    if not _reads_pictures(dataset):
        return [], [], 0
    there = files.picture_rows()
    rows = np.linspace(0, len(there) - 1, min(_LOOKED_INTO, len(there))).astype(int)
    unusable, unknown, looked = [], [], 0
    end = time.monotonic() + _SECONDS
    for path in map(files.picture_file, there[rows].tolist()):
        if time.monotonic() > end:
            break
        looked += 1
        try:
            first = read_first(path)
        except OSError as error:
            unusable.append(f"{path} ({error.strerror or error})")
            continue
        reason = no_picture_message(first)
        if reason:
            unusable.append(f"{path} ({reason})")
        elif picture_kind(first) is None:
            unknown.append(path)
    faults = _message(dataset, unusable, looked, "are no pictures")
    warnings = _message(dataset, unknown, looked, "begin like no known picture format")
    if dataset.on_corrupt == "skip":
        return [], faults + warnings, looked
    return faults, warnings, looked


def _message(dataset: RecordDataset, found: list[str], looked: int, what: str) -> list[str]:
    if not found:
        return []
    return [
        f"{dataset.name}: {len(found)} of {looked} files that were looked into {what}: "
        f"{shorten(found)}. Restore or remove them; tools/check_dataset.py looks at all files."
    ]


def _reads_pictures(dataset: RecordDataset) -> bool:
    """Whether the loader decodes picture files; others may read what they like."""
    return only_decodes(dataset.loader) or getattr(dataset.loader, "refuses_cut_off", False)
