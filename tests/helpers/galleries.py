"""Galleries of drawn numbers, and a search that compares everything with everything."""

import numpy as np

from mmreid_ext.deploy.gallery import GalleryModel
from mmreid_ext.verdicts.thresholds import Threshold

THRESHOLDS = (
    Threshold(1e-2, 0.4, 0.9, 5000, "drawn"),
    Threshold(1e-3, 0.5, 0.8, 5000, "drawn"),
)
MODEL = GalleryModel("0123456789abcdef" * 4, "best.onnx", 16, THRESHOLDS)


def vectors(count, size=16, seed=0, people=12):
    """Unit rows around the centres of some people, float32."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((people, size))
    rows = centres[rng.integers(0, people, count)] + 0.5 * rng.standard_normal((count, size))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def columns(count, seed=0):
    """Hashes, identities, cameras, times and sources; some of each are unknown."""
    rng = np.random.default_rng(seed + 100)

    def some(values):
        return [None if rng.random() < 0.1 else value for value in values]

    return dict(
        hashes=[rng.bytes(32) for _ in range(count)],
        identities=some(f"person {n}" for n in rng.integers(0, 12, count)),
        cameras=some(f"camera {n}" for n in rng.integers(0, 4, count)),
        times=some(float(t) for t in np.round(rng.random(count) * 1e6, 3)),
        sources=some(f"pictures/{n:05d}.jpg" for n in range(count)),
    )


def jpeg(seed=0, size=300):
    """Bytes that begin like those of a JPEG file."""
    return b"\xff\xd8\xff" + np.random.default_rng(seed).bytes(size)


def expected(queries, stored, ids, passes, topk):
    """(id, similarity) lists by brute force: float64 of the float16 rows, ties by id.

    Args:
        queries: (Q, D) float32 of length one.
        stored: (N, D) float16.
        ids: (N,).
        passes: (Q, N) bool.
        topk: Length of the lists.
    """
    similarities = queries.astype(np.float64) @ stored.astype(np.float64).T
    lists = []
    for row, marks in zip(similarities, passes, strict=True):
        places = np.flatnonzero(marks)
        order = places[np.lexsort((np.asarray(ids)[places], -row[places]))][:topk]
        lists.append([(int(ids[place]), float(row[place])) for place in order])
    return lists


def pairs(lists):
    """(id, similarity) of the hits of each query."""
    return [[(hit.id, hit.similarity) for hit in hits] for hits in lists]


def same_lists(found, wanted, tolerance=1e-6):
    """Whether ids are the same and similarities within a tolerance."""
    if [[i for i, _ in one] for one in found] != [[i for i, _ in one] for one in wanted]:
        return False
    return all(
        abs(a - b) <= tolerance
        for one, other in zip(found, wanted, strict=True)
        for (_, a), (_, b) in zip(one, other, strict=True)
    )
