"""Name what can be wrong with a data set: one table of kinds, the worst first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mmreid_ext.shorten import several

FAULT, REMARK = "fault", "remark"


class Kind(NamedTuple):
    """A kind of finding.

    Args:
        level: :data:`FAULT`, which stops a run or makes a score wrong, or :data:`REMARK`.
        noun: What is counted, in the singular.
        rest: What stands behind the noun.
        advice: What to do, a sentence or two.
    """

    level: str
    noun: str
    rest: str
    advice: str


KINDS = {
    "unreadable_set": Kind(
        FAULT, "data set", " that can't be read", "Nothing else of it was checked. Mend it first."
    ),
    "wrong_row": Kind(
        FAULT,
        "row or column",
        " that can't be used",
        "They were left out here; a training would stop.",
    ),
    "missing": Kind(
        FAULT, "file", " that can't be found", "Restore the files, or take them off the list."
    ),
    "unreadable": Kind(
        FAULT, "picture", " that can't be read", "Restore or delete them, or convert them to JPEG."
    ),
    "two_people": Kind(
        FAULT,
        "picture",
        " with two people's names",
        "The same bytes are listed for several people. Keep the right name.",
    ),
    "train_and_test": Kind(
        FAULT,
        "picture",
        " in the training and in the test set",
        "A network remembers what it was trained on, so the score means nothing. Take them out "
        "of one.",
    ),
    "query_and_gallery": Kind(
        FAULT,
        "picture",
        " both as query and in the gallery",
        "The same bytes: they would find themselves. Take them out of the gallery.",
    ),
    "people_in_both": Kind(
        FAULT,
        "person",
        " in the training and in the test set",
        "Scores on people who were trained on are higher than on unseen people. Split by person.",
    ),
    "unusable_part": Kind(
        FAULT, "part", " that can't be used", "A training or an evaluation would stop."
    ),
    "near_two_people": Kind(
        REMARK,
        "pair",
        " of nearly identical pictures of different people",
        "Look at them: two names may be one person, or one picture may have a wrong name.",
    ),
    "near_train_and_test": Kind(
        REMARK,
        "pair",
        " of nearly identical pictures in the training and in the test set",
        "A re-encoded copy flatters the score as the picture itself does.",
    ),
    "far_from_own": Kind(
        REMARK,
        "picture",
        " nearer to somebody else",
        "By the model given. Look at them: the name may be wrong, or the box shows another person.",
    ),
    "alike_people": Kind(
        REMARK,
        "pair",
        " of people who look like one",
        "By the model given: they are as near to each other as to themselves. Look at them.",
    ),
    "alike_names": Kind(
        REMARK,
        "pair",
        " of names that differ only in spelling",
        "They count as different people. Write one name in one way.",
    ),
    "unanswered": Kind(
        REMARK,
        "query",
        " without an answer",
        "The protocol leaves them out. Add gallery images of these people, of other cameras.",
    ),
    "repeated": Kind(
        REMARK,
        "picture",
        " listed more than once",
        "The same bytes, for the same person and purpose. They count as often as they are listed.",
    ),
    "one_image": Kind(
        REMARK,
        "person",
        " with one training image",
        "A loss that compares images of a person has nothing to compare. Add images, or leave "
        "them out.",
    ),
    "odd_size": Kind(
        REMARK,
        "picture",
        " of an unusual size or shape",
        "Resizing will distort them. Look at them: they may be frames, or bad boxes.",
    ),
    "blank": Kind(REMARK, "picture", " of one colour", "Nobody can be seen on them. Remove them."),
    "wrong_suffix": Kind(
        REMARK,
        "file",
        " whose name promises another format",
        "They are read all the same. Rename them for other programs.",
    ),
    "other_files": Kind(
        REMARK, "file or place", " left out", "See the notes; rename or remove them."
    ),
    "not_published": Kind(
        REMARK, "data set", " unlike the published one", "Scores on it don't compare."
    ),
    "unchecked": Kind(REMARK, "data set", " not checked", "It is none of this package's readers."),
    "stopped": Kind(REMARK, "scan", " interrupted", "The rest was not looked at."),
}
"""Every kind, the worst first. ``docs/datasets.md`` shows them."""


class Group(NamedTuple):
    """One occurrence of a finding.

    Args:
        rows: Rows of the image table that it is about; none for what is said of a list or a set.
        note: Details in words.
    """

    rows: tuple[int, ...]
    note: str = ""


@dataclass(frozen=True)
class Finding:
    """All occurrences of one kind.

    Args:
        kind: Key of :data:`KINDS`.
        groups: The occurrences, the worst first.
    """

    kind: str
    groups: tuple[Group, ...]

    @property
    def is_fault(self) -> bool:
        """Whether it stops a run or makes a score wrong."""
        return KINDS[self.kind].level == FAULT

    @property
    def title(self) -> str:
        """What was found how often, for example ``'3 pictures that can't be read'``."""
        kind = KINDS[self.kind]
        number = len(self.groups)
        count = several(number, kind.noun)
        if number != 1 and kind.noun in _PLURALS:
            count = f"{number:,} {_PLURALS[kind.noun]}"
        return count + kind.rest

    @property
    def advice(self) -> str:
        """What to do."""
        return KINDS[self.kind].advice


_PLURALS = {
    "row or column": "rows or columns",
    "person": "people",
    "file or place": "files or places",
}


def collected(kind: str, groups: Iterable[Group]) -> list[Finding]:
    """Make one finding of the occurrences, none if there are none."""
    found = tuple(groups)
    return [Finding(kind, found)] if found else []


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """Join findings of one kind and sort them, the worst kinds first."""
    groups: dict[str, list[Group]] = {kind: [] for kind in KINDS}
    for finding in findings:
        groups[finding.kind] += finding.groups
    return [Finding(kind, tuple(found)) for kind, found in groups.items() if found]


def notes(kind: str, texts: Sequence[str]) -> list[Finding]:
    """Make a finding of sentences that are about no picture."""
    return collected(kind, (Group((), text) for text in texts))
