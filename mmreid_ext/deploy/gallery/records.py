"""Questions and answers of a gallery, as plain data that every store shares."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

from mmreid_ext.verdicts.thresholds import Threshold, read_thresholds

Moment = float | int | dt.datetime
"""Unix seconds, or a ``datetime``; one without a time zone is taken as UTC."""


@dataclass(frozen=True)
class Hit:
    """One picture that a search has found.

    Attributes:
        id: Its number in the gallery; never given to another picture.
        similarity: Cosine of the query and the stored float16 embedding, in [-1, 1], float32.
        identity: Who it shows; None where unknown.
        camera: Who took it; None where unknown.
        time: When, in unix seconds; None where unknown.
        source: Where it comes from, as it was given; None where unknown.
        score: What the list is ordered by: the similarity, or after re-ranking one minus the
            re-ranked distance, in [0, 1].
        has_thumbnail: Whether :meth:`.Gallery.thumbnail` has a picture.
    """

    id: int
    similarity: float
    identity: str | None
    camera: str | None
    time: float | None
    source: str | None
    score: float
    has_thumbnail: bool = False


@dataclass(frozen=True)
class Added:
    """The result of adding pictures.

    Attributes:
        added: Pictures that are new.
        known: Pictures that were there before, or come twice in one call. They stay as they were.
        ids: Number of each picture in the order given, for known ones too.
        conflicts: Numbers of known pictures that are stored under another identity than the one
            given now (or under none). See :meth:`.Gallery.label`.
    """

    added: int
    known: int
    ids: list[int]
    conflicts: list[int] = field(default_factory=list)

    def joined(self, other: Added) -> Added:
        """Return the result of this and a following call together; the lists grow in place."""
        self.ids.extend(other.ids)
        self.conflicts.extend(other.conflicts)
        return Added(self.added + other.added, self.known + other.known, self.ids, self.conflicts)


@dataclass(frozen=True)
class Filters:
    """Conditions on what a search may find; None: no condition.

    A picture whose camera, time or identity is unknown passes no condition that asks for it.

    Attributes:
        cameras: Only these.
        not_cameras: None of these.
        since: Not before this moment.
        until: Before this moment.
        identities: Only these people.
    """

    cameras: Sequence[str] | None = None
    not_cameras: Sequence[str] | None = None
    since: Moment | None = None
    until: Moment | None = None
    identities: Sequence[str] | None = None


@dataclass(frozen=True)
class RerankOptions:
    """Settings of k-reciprocal re-ranking.

    Attributes:
        n: Candidates of a query that are re-ranked; at least as many as are asked for are taken.
        k1: Size of the reciprocal sets.
        k2: Images that encodings are averaged over; 1 switches it off.
        lambda_value: Weight of the plain distance, in [0, 1].
    """

    n: int = 100
    k1: int = 20
    k2: int = 6
    lambda_value: float = 0.3


@dataclass(frozen=True)
class GalleryModel:
    """The model whose embeddings a gallery holds.

    Attributes:
        identity: Hash of its weights; what is compared.
        name: For people.
        size: Numbers per embedding.
        all_thresholds: Thresholds of every test set, as they were when the gallery was made; see
            :attr:`thresholds`.
    """

    identity: str
    name: str
    size: int
    all_thresholds: tuple[Threshold, ...] = ()

    @property
    def thresholds(self) -> list[Threshold]:
        """Thresholds of the surest test set, see :mod:`mmreid_ext.verdicts.thresholds`."""
        return read_thresholds({"thresholds": [asdict(one) for one in self.all_thresholds]})


@dataclass(frozen=True)
class GalleryInfo:
    """A summary of a gallery.

    Attributes:
        place: File or address.
        rows: Pictures.
        identities: People with at least one picture.
        cameras: Cameras with at least one picture.
        unnamed: Pictures without an identity.
        thumbnails: Pictures with a thumbnail.
        first: Earliest known time, unix seconds; None without any.
        last: Latest known time.
        size: Numbers per embedding.
        model: Whose embeddings they are.
        bytes: Size on disk, with the write-ahead log; None where a server doesn't say.
        version: Of the format.
    """

    place: str
    rows: int
    identities: int
    cameras: int
    unnamed: int
    thumbnails: int
    first: float | None
    last: float | None
    size: int
    model: GalleryModel
    bytes: int | None
    version: int


@dataclass
class Rows:
    """Pictures as stores take and give them: columns of one length N, checked and complete.

    Attributes:
        embeddings: (N, D) float16, of length one up to its rounding.
        hashes: Content hash of each.
        identities: Who is shown; None: unknown.
        cameras: Likewise.
        times: Unix seconds; None: unknown.
        sources: Likewise text.
        thumbnails: JPEG bytes; None: none.
        ids: Numbers in the store; empty for pictures that are to be added.
    """

    embeddings: np.ndarray
    hashes: list[bytes]
    identities: list[str | None]
    cameras: list[str | None]
    times: list[float | None]
    sources: list[str | None]
    thumbnails: list[bytes | None]
    ids: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.hashes)

    def part(self, start: int, stop: int) -> Rows:
        """Return the rows ``start:stop``."""
        some = slice(start, stop)
        return Rows(
            self.embeddings[some],
            self.hashes[some],
            self.identities[some],
            self.cameras[some],
            self.times[some],
            self.sources[some],
            self.thumbnails[some],
            self.ids[some],
        )
