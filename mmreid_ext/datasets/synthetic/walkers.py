"""Ways of people through a drawn video: they cross it, turn round, leave and come back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_TALL = (0.3, 0.46)  # height of a person as a share of the picture's, from the back to the front
_SPEED = (0.9, 1.7)  # body widths in ten frames
_AWAY = (12, 45)  # frames out of the picture
_TURNS = 0.3  # share of walks that end on the side on which they began
_INSIDE = 0.5  # share of people who are in the picture when the video begins
_STRIDE = 1.1  # body heights in one period of walking


@dataclass(frozen=True)
class Walker:
    """One person's way through a video.

    Attributes:
        height: Of the person in pixels; the box is half as wide.
        feet: Row of the ground under the feet.
        x: Shape (frames,), column of the middle; NaN while out of the picture.
        direction: Shape (frames,), 1 to the right, -1 to the left.
        phase: Shape (frames,), phase of walking.
    """

    height: float
    feet: float
    x: np.ndarray
    direction: np.ndarray
    phase: np.ndarray

    def box(self, frame: int) -> tuple[float, float, float, float]:
        """Return left, top, width and height in pixels; it may stick out of the picture."""
        width = self.height / 2
        return float(self.x[frame]) - width / 2, self.feet - self.height, width, self.height


def make_walker(rng: np.random.Generator, frames: int, size: tuple[int, int]) -> Walker:
    """Draw the way of one person.

    Args:
        rng: Generator of this person's way.
        frames: Length of the video.
        size: Height and width of the picture.
    """
    rows, columns = size
    depth = float(rng.random())  # 0 at the back
    height = rows * (_TALL[0] + depth * (_TALL[1] - _TALL[0]))
    feet = rows * (0.62 + 0.34 * depth)
    x, direction = np.full(frames, np.nan), np.ones(frames, np.int64)
    heading = 1 if rng.random() < 0.5 else -1
    begin = 0 if rng.random() < _INSIDE else int(rng.integers(*_AWAY))
    first = begin == 0
    while begin < frames:
        steps, heads = _walk(rng, heading, height / 2, columns)
        if first:  # in the middle of it
            skipped = int(rng.uniform(0.1, 0.7) * len(steps))
            steps, heads, first = steps[skipped:], heads[skipped:], False
        steps, heads = steps[: frames - begin], heads[: frames - begin]
        x[begin : begin + len(steps)] = steps
        direction[begin : begin + len(steps)] = heads
        heading = -int(heads[-1])  # in again where one went out
        begin += len(steps) + int(rng.integers(*_AWAY))
    moved = np.abs(np.diff(x, prepend=x[0]))
    phase = rng.random() + np.cumsum(np.nan_to_num(moved)) / (_STRIDE * height)
    return Walker(height, feet, x, direction, phase % 1.0)


def _walk(
    rng: np.random.Generator, heading: int, width: float, columns: int
) -> tuple[np.ndarray, np.ndarray]:
    """Middle and direction in every frame of one walk, from one edge of the picture to an edge."""
    speed = rng.uniform(*_SPEED) * width / 10
    x = np.arange(-width / 2, columns + width / 2, speed)
    heads = np.ones(len(x), np.int64)
    if rng.random() < _TURNS:
        half = x[: int(rng.uniform(0.3, 0.8) * len(x))]
        x = np.concatenate([half, half[::-1]])
        heads = np.repeat([1, -1], len(half))
    return (x, heads) if heading > 0 else (columns - x, -heads)
