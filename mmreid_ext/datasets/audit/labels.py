"""Find names that a trained model doubts."""

from __future__ import annotations

import numpy as np

from .findings import Finding, Group, collected
from .table import PictureTable

_MARGIN = 0.1  # of cosine, by which somebody else must be nearer than the own pictures
_SLACK = 0.03  # of cosine; one person in two halves is this near to either, more or less
_BLOCK = 1024  # rows of a product at once; 100,000 people need 0.4 GB


class _People:
    """Embeddings by person.

    Args:
        table: The pictures.
        feats: Embeddings of unit length, shape (M, D).
        rows: Their rows of the table, shape (M,).
    """

    def __init__(self, table: PictureTable, feats: np.ndarray, rows: np.ndarray) -> None:
        self.table, self.feats, self.rows = table, feats, rows
        self.numbers, self.codes, self.counts = np.unique(
            table.people[rows], return_inverse=True, return_counts=True
        )
        sums = np.zeros((len(self.numbers), feats.shape[1]), dtype=np.float32)
        np.add.at(sums, self.codes, feats)
        self.centres = _unit(sums)
        self.means = sums / self.counts[:, None]
        # A picture is compared with the mean of the others of its own; nothing is known if it is
        # alone.
        others = _unit(sums[self.codes] - feats)
        alone = self.counts[self.codes] == 1
        self.own = np.where(alone, np.nan, (feats * others).sum(axis=1))
        self.within = np.bincount(self.codes, self.own, len(self.numbers)) / self.counts
        order = np.argsort(self.codes, kind="stable")
        self.members = np.split(order, np.cumsum(self.counts)[:-1])

    def name(self, code: int) -> str:
        return self.table.names[int(self.numbers[code])]

    def samples(self, code: int, leave_out: int = -1, count: int = 2) -> tuple[int, ...]:
        """Rows of a few pictures of a person."""
        members = [k for k in self.members[code].tolist() if k != leave_out]
        return tuple(int(self.rows[k]) for k in members[:count])


def find_doubtful(table: PictureTable, feats: np.ndarray, rows: np.ndarray) -> list[Finding]:
    """Find pictures nearer to somebody else, and people who look like one.

    A person is the mean of the embeddings.

    Args:
        table: The pictures.
        feats: Embeddings of unit length, shape (M, D).
        rows: Their rows of the table, shape (M,), all of known people.
    """
    people = _People(table, feats, rows)
    if len(people.numbers) < 2:
        return []
    return [
        *collected("far_from_own", _far_from_own(people)),
        *collected("alike_people", _alike(people)),
    ]


def _far_from_own(people: _People) -> list[Group]:
    nearest, best = _nearest_other(people.feats, people.centres, people.codes)
    doubt = best - people.own
    far = np.flatnonzero(doubt > _MARGIN)  # NaN is not above
    groups = []
    for k in far[np.argsort(-doubt[far], kind="stable")].tolist():
        own, other, row = int(people.codes[k]), int(nearest[k]), int(people.rows[k])
        note = (
            f"{people.name(own)}, cosine {people.own[k]:.2f}; "
            f"{people.name(other)}, cosine {best[k]:.2f}"
        )
        groups.append(Group((row, *people.samples(own, leave_out=k), *people.samples(other)), note))
    return groups


def _alike(people: _People) -> list[Group]:
    """Pairs whose pictures are as near to the other person as to their own."""
    numbers = np.arange(len(people.numbers))
    nearest, similarity = _nearest_other(people.means, people.centres, numbers)
    found: dict[tuple[int, int], float] = {}
    for one in np.flatnonzero(similarity >= people.within - _SLACK).tolist():
        other = int(nearest[one])
        back = float(people.means[other] @ people.centres[one])
        if back >= people.within[other] - _SLACK:
            found[min(one, other), max(one, other)] = float(similarity[one])
    return [
        Group(
            (*people.samples(one), *people.samples(other)),
            f"{people.name(one)} and {people.name(other)}, cosine {value:.2f}",
        )
        for (one, other), value in sorted(found.items(), key=lambda item: -item[1])
    ]


def _nearest_other(
    feats: np.ndarray, centres: np.ndarray, own: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """For each embedding, the nearest centre that isn't its own, and its cosine."""
    nearest = np.empty(len(feats), dtype=np.int64)
    best = np.empty(len(feats), dtype=np.float32)
    for start in range(0, len(feats), _BLOCK):
        part = slice(start, min(start + _BLOCK, len(feats)))
        products = feats[part] @ centres.T
        rows = np.arange(len(products))
        products[rows, own[part]] = -np.inf
        nearest[part] = products.argmax(axis=1)
        best[part] = products[rows, nearest[part]]
    return nearest, best


def _unit(values: np.ndarray) -> np.ndarray:
    return values / np.linalg.norm(values, axis=1, keepdims=True).clip(1e-12)  # two that cancel
