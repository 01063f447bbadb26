"""Draw people as unit vectors, block by block: any block can be drawn again on its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

PER_IDENTITY, LATENT, CAMERAS = 10, 64, 6
DAYS, WINDOW = 30, 10  # the filter takes a third of the days and five of six cameras: 28 %
SPREAD, NOISE = 0.55, 0.55  # nearest neighbours at a cosine of 0.6 to 0.7
BLOCK = 10_000
DAY = 86_400.0
START = 1_700_000_000.0


@dataclass(frozen=True)
class Block:
    """Rows ``first`` to ``first + N`` of the data.

    Attributes:
        vectors: (N, D) float32, rows of unit length.
        hashes: Hash of each, N of 32 bytes.
        identities: Name of the person.
        cameras: Name of the camera.
        times: Unix seconds.
        sources: Name of the picture.
    """

    vectors: np.ndarray
    hashes: list[bytes]
    identities: list[str]
    cameras: list[str]
    times: list[float]
    sources: list[str]

    def columns(self) -> dict[str, list]:
        """Return what ``Gallery.add`` takes beside the vectors."""
        return {key: value for key, value in vars(self).items() if key != "vectors"}


def _lift(size: int) -> np.ndarray:
    rng = np.random.default_rng(1)
    return (rng.standard_normal((LATENT, size)) / LATENT**0.5).astype(np.float32)


def _embed(latent: np.ndarray, rng: np.random.Generator, size: int) -> np.ndarray:
    """Spread people in the latent space, map them to ``size`` dimensions, add noise there."""
    latent = latent + SPREAD * rng.standard_normal(latent.shape, dtype=np.float32)
    vectors = latent @ _lift(size)
    vectors += NOISE * rng.standard_normal(vectors.shape, dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _centres(first: int, count: int) -> np.ndarray:
    """Draw the centres of the identities of one block."""
    rng = np.random.default_rng([2, first])
    return rng.standard_normal((count, LATENT), dtype=np.float32)


def draw(first: int, count: int, size: int) -> Block:
    """Draw rows; ``first`` is a multiple of ``BLOCK``, and blocks depend on nothing else."""
    rng = np.random.default_rng([3, first])
    people = np.arange(count) // PER_IDENTITY
    centres = _centres(first, BLOCK // PER_IDENTITY)[people]
    return Block(
        _embed(centres, rng, size),
        [row.to_bytes(32, "big") for row in range(first, first + count)],
        [f"person {first // PER_IDENTITY + person}" for person in people.tolist()],
        [f"camera {camera}" for camera in rng.integers(CAMERAS, size=count).tolist()],
        (START + DAYS * DAY * rng.random(count)).tolist(),
        [f"{row // 1000:04d}/{row}.jpg" for row in range(first, first + count)],
    )


def blocks(rows: int, size: int) -> Iterator[Block]:
    """Yield all rows, ``BLOCK`` at a time."""
    for first in range(0, rows, BLOCK):
        yield draw(first, min(BLOCK, rows - first), size)


@dataclass(frozen=True)
class Queries:
    """New pictures of people who are in the gallery, Q of them.

    Attributes:
        vectors: (Q, D) float32, rows of unit length.
        cameras: Camera of each.
        since: Begin of a window of ten days for each, Unix seconds.
    """

    vectors: np.ndarray
    cameras: list[str]
    since: np.ndarray

    @property
    def until(self) -> np.ndarray:
        """End of each window."""
        return self.since + WINDOW * DAY


def draw_queries(count: int, rows: int, size: int) -> Queries:
    """Draw queries of people of all blocks."""
    rng = np.random.default_rng(4)
    asked = rng.integers(rows // PER_IDENTITY, size=count)
    per_block = BLOCK // PER_IDENTITY
    latent = [_centres(p // per_block * BLOCK, per_block)[p % per_block] for p in asked.tolist()]
    return Queries(
        _embed(np.stack(latent), rng, size),
        [f"camera {camera}" for camera in rng.integers(CAMERAS, size=count).tolist()],
        START + (DAYS - WINDOW) * DAY * rng.random(count),
    )


def exact(queries: Queries, rows: int, size: int, topk: int, filtered: bool) -> np.ndarray:
    """Return the rows that are nearest in float32, (Q, topk), with or without the filters."""
    best = np.full((len(queries.vectors), 0), -np.inf, dtype=np.float32)
    places = np.zeros((len(queries.vectors), 0), dtype=np.int64)
    for number, block in enumerate(blocks(rows, size)):
        scores = queries.vectors @ block.vectors.T
        if filtered:
            times, cameras = np.array(block.times), np.array(block.cameras)
            allowed = np.array(queries.cameras)[:, None] != cameras
            allowed &= (times >= queries.since[:, None]) & (times < queries.until[:, None])
            scores[~allowed] = -np.inf
        own = np.broadcast_to(number * BLOCK + np.arange(scores.shape[1]), scores.shape)
        best, places = np.hstack([best, scores]), np.hstack([places, own])
        keep = np.argsort(-best, axis=1, kind="stable")[:, :topk]
        best = np.take_along_axis(best, keep, 1)
        places = np.take_along_axis(places, keep, 1)
    return places
