"""Report queries without a match: how many, the true cause of each, and the remedy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from mmreid_ext.shorten import shorten

from .camera_label import camera_label
from .image_table import JUNK
from .matching import NOBODY, Labels


@dataclass(frozen=True)
class MatchReport:
    """Queries of one split that have no match.

    Args:
        missing: Mask over the queries, shape (Q,).
        text: How many there are, why, and what to do; empty if there are none.
        causes: The part of it that says why, and what to do.
    """

    missing: np.ndarray
    text: str
    causes: str = ""

    @property
    def is_total(self) -> bool:
        """Whether no query at all can be answered."""
        return bool(self.missing.all())


@dataclass(frozen=True)
class _Cause:
    """A cause for queries without a match: which, in words, and the remedy."""

    queries: np.ndarray
    text: str
    remedy: str


def match_report(
    labels: Labels, title: str, pid_names: Mapping[int, str] | None = None
) -> MatchReport:
    """Find the queries without a match, and the cause of each.

    Args:
        labels: One split.
        title: Name of the test set, for the message.
        pid_names: Names that the user gave to identities; the message shows them.
    """
    names = pid_names or {}
    missing = labels.without_match()
    total = len(missing)
    if total and not missing.any():
        return MatchReport(missing, "")
    causes = [cause for cause in _causes(labels, missing, title, names) if cause.queries.any()]
    if missing.all():
        head = (
            f"Test set {title!r} has no query that could be answered: {total} queries of "
            f"{len(np.unique(labels.query_pids))} identities, {len(labels.gallery_pids)} gallery "
            f"images of {len(np.unique(labels.gallery_pids))} identities. "
        )
    else:
        people = _named(np.unique(labels.query_pids[missing]).tolist(), names)
        head = (
            f"Test set {title!r}: {int(missing.sum())} of {total} query images ({len(people)} "
            f"identities: {shorten(people)}) have no match and do not count in the scores. "
        )
    reasons = [f"{_share(c.queries, total)}: {c.text}." for c in causes]
    if not total:
        reasons = ["There is no query."]
    remedies = dict.fromkeys(cause.remedy for cause in causes)
    why = " ".join([*reasons, *remedies])
    return MatchReport(missing, head + why, why)


def unknown_cameras_message(labels: Labels, title: str) -> str:
    """Say how many images have no known camera where others have one; empty if that is not so.

    Args:
        labels: One split.
        title: Name of the test set, for the message.
    """
    if labels.query_camids is None or labels.gallery_camids is None or labels.each_alone:
        return ""
    query, gallery = labels.query_camids < 0, labels.gallery_camids < 0
    unknown = int(query.sum() + gallery.sum())
    if unknown in (0, len(query) + len(gallery)):  # all unknown: no match at all, said elsewhere
        return ""
    return (
        f"Test set {title!r}: {unknown} of {len(query) + len(gallery)} images have no known camera "
        f"({_counted(int(query.sum()))}, {int(gallery.sum())} gallery images). They may come from "
        f"the query's own camera, so {int(labels.removed_unknown().sum())} matches with them do "
        "not count. Give these images their cameras, or use the protocol 'no_camera'."
    )


def _causes(
    labels: Labels, missing: np.ndarray, title: str, names: Mapping[int, str]
) -> Iterator[_Cause]:
    """The causes, each with the queries that it and none before explains."""
    lone = labels.query_distractors
    lone = np.zeros(len(missing), dtype=bool) if lone is None else lone
    junk = (labels.query_pids == JUNK) & ~lone
    yield _Cause(
        missing & lone,
        "distractors themselves, which match nobody",
        "Mark persons who can be found as queries.",
    )
    yield _Cause(
        missing & junk, f"junk themselves (identity {JUNK})", "Give the queries their identities."
    )
    rest = missing & ~junk & ~lone
    empty = _useless_gallery(labels)
    if empty:
        yield _Cause(rest, empty, "Give the gallery its identities.")
        return
    absent = rest & (labels.same_identity() == 0)
    shown = np.setdiff1d(labels.gallery_pids, [JUNK, NOBODY])
    asked = shorten(_named(np.unique(labels.query_pids[absent]).tolist(), names))
    held = shorten(_named(shown.tolist(), names))
    yield _Cause(
        absent,
        f"identities of query and gallery differ (queries: {asked}; gallery: {held})",
        "Check that queries and gallery are read with the same numbering.",
    )
    yield from _camera_causes(labels, rest & ~absent, title)


def _useless_gallery(labels: Labels) -> str:
    """Say why no gallery image can be a match of anything; empty if some can."""
    pids = labels.gallery_pids
    if not len(pids):
        return "the gallery has no image"
    if (pids == JUNK).all():
        return f"all {len(pids)} gallery images are junk (identity {JUNK})"
    others = pids[pids != JUNK]
    # Plain arrays do not say what a distractor is; identity 0 is Market-1501's number for them.
    nobody = (others == NOBODY) | ((others == 0) & ~np.isin(0, labels.query_pids))
    if not nobody.all():
        return ""
    if len(others) < len(pids):
        return f"all {len(pids)} gallery images are junk or distractors"
    return f"all {len(pids)} gallery images are distractors, which match nobody"


def _camera_causes(labels: Labels, rest: np.ndarray, title: str) -> Iterator[_Cause]:
    """Say why queries whose identity is in the gallery have no match."""
    if labels.query_camids is None or labels.gallery_camids is None:
        return
    if labels.each_alone:
        text = "the only image of their identity"
        yield _Cause(rest, text, "Only an identity with two images can be found again.")
        return
    remedy = (
        "No camera labels? Use the protocol 'no_camera': "
        f"ReIDMetric(protocols={{{title!r}: 'no_camera'}}), protocol='no_camera' of the data set, "
        "or --protocol no_camera on the command line."
    )
    cameras = np.unique(np.concatenate([labels.query_camids, labels.gallery_camids]))
    known = cameras[cameras >= 0]
    if not len(known):
        text = "no image has a known camera, and the camera rule needs one"
        yield _Cause(rest, text, remedy)
        return
    if len(cameras) == 1:
        text = f"all images come from {camera_label(known[0])}"
        yield _Cause(rest, f"{text} (camid of the query cameras {known.tolist()})", remedy)
        return
    unknown = labels.query_camids < 0
    yield _Cause(rest & unknown, "no known camera themselves", remedy)
    lost = ~unknown & (labels.removed_unknown() > 0)
    yield _Cause(rest & lost, "matches of their own or of unknown cameras only", remedy)
    own = rest & ~unknown & ~lost
    places = np.unique(labels.query_camids[own]).tolist()
    shown = ", ".join(camera_label(camid) for camid in places)
    text = f"matches from their own camera only (query cameras {places}: {shown})"
    yield _Cause(own, text, remedy)


def _share(queries: np.ndarray, total: int) -> str:
    number = int(queries.sum())
    if number == total:
        return "All queries" if total > 1 else "The query"
    return _counted(number)


def _counted(number: int) -> str:
    return "1 query" if number == 1 else f"{number} queries"


def _named(pids: list[int], names: Mapping[int, str]) -> list[int | str]:
    return [names.get(pid, pid) for pid in pids]
