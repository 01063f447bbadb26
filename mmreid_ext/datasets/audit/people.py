"""Find people and queries that a training or an evaluation can't use well."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from mmreid_ext.datasets.records import image_table, select_test
from mmreid_ext.errors import UserError
from mmreid_ext.protocols import Labels

from .findings import Finding, Group, collected, notes
from .read_set import SourceSet
from .table import PictureTable


def find_people(table: PictureTable, sources: Sequence[SourceSet]) -> list[Finding]:
    """Find people in two places, alone, or under two spellings, and queries without an answer."""
    return [
        *_in_both(table),
        *_with_one_image(table),
        *_alike_names(table),
        *_unanswered(table, sources),
    ]


def _in_both(table: PictureTable) -> list[Finding]:
    shared = np.intersect1d(table.people[table.is_train], table.people[table.is_test])
    groups = []
    rows_of = _rows_by_person(table)
    for person in shared[shared >= 0].tolist():
        rows = rows_of[person]
        train = [row for row in rows if table.is_train[row]]
        test = [row for row in rows if table.is_test[row]]
        note = f"{table.names[person]}: {len(train)} training and {len(test)} test pictures"
        groups.append(Group((*train[:2], *test[:2]), note))
    return collected("people_in_both", groups)


def _with_one_image(table: PictureTable) -> list[Finding]:
    """Where nothing says what the pictures are for, they may be trained on."""
    rows = np.flatnonzero(table.is_train | (table.roles == ""))
    people, first, counts = np.unique(table.people[rows], return_index=True, return_counts=True)
    alone = first[(counts == 1) & (people >= 0)]
    groups = [Group((row,)) for row in rows[np.sort(alone)].tolist()]
    return collected("one_image", groups)


def _alike_names(table: PictureTable) -> list[Finding]:
    """Compare names without case, spaces and punctuation; numbers are compared by the readers."""
    spelled: dict[str, list[int]] = defaultdict(list)
    for number, name in enumerate(table.names):
        bare = "".join(letter for letter in name.casefold() if letter.isalnum())
        if not bare.isdecimal():
            spelled[bare].append(number)
    found = [numbers for numbers in spelled.values() if len({table.names[n] for n in numbers}) > 1]
    rows_of = _rows_by_person(table) if found else {}
    groups = []
    for numbers in found:
        note = " and ".join(dict.fromkeys(repr(table.names[number]) for number in numbers))
        groups.append(Group(tuple(rows_of[number][0] for number in numbers), note))
    return collected("alike_names", groups)


def _unanswered(table: PictureTable, sources: Sequence[SourceSet]) -> list[Finding]:
    groups: list[Group] = []
    texts = []
    for number, source in enumerate(sources):
        if source.protocol is None:
            continue
        rows = np.flatnonzero((table.sets == number) & table.is_test)
        by_role = [rows[table.roles[rows] == role] for role in ("query", "gallery")]
        records = [{**r, "dataset": source.title} for r in select_test(source.records)]
        images = image_table(records, source.distractor_pids)
        try:
            split = source.protocol.matching_split(images)
        except UserError as error:
            texts.append(f"{source.title}: {error}")
            continue
        without = Labels.of(images, split).without_match()
        asked = split.query[without & ~images.distractors[split.query]]
        order = np.concatenate(by_role)
        groups += [Group((row,)) for row in order[asked].tolist()]
        if len(asked) == len(split.query):
            texts.append(f"{source.title}: no query has an answer")
    return collected("unanswered", groups) + notes("unusable_part", texts)


def _rows_by_person(table: PictureTable) -> dict[int, list[int]]:
    if not len(table):
        return {}
    order = np.argsort(table.people, kind="stable")
    people, first = np.unique(table.people[order], return_index=True)
    parts = np.split(order, first[1:])
    return {int(p): part.tolist() for p, part in zip(people, parts, strict=True)}
