"""Backgrounds, weather and noise: made once per camera, another window for each image."""

from __future__ import annotations

import cv2
import numpy as np

from .style import DomainStyle


def _clouds(rng: np.random.Generator, height: int, width: int, cell: int) -> np.ndarray:
    """Smooth noise in [-1, 1], features about ``cell`` pixels wide."""
    coarse = rng.uniform(-1, 1, (height // cell + 2, width // cell + 2)).astype(np.float32)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).clip(-1, 1)


def _plaza(rng: np.random.Generator, canvas: np.ndarray) -> None:
    """Large slabs and long shadows."""
    height, width = canvas.shape[:2]
    for x in range(int(rng.integers(20)), width, 46):
        cv2.line(canvas, (x, height), (x + 60, height // 3), (-30.0,) * 3, 2)
    for _ in range(6):
        x, y = int(rng.integers(width)), int(rng.integers(height // 3, height))
        cv2.ellipse(canvas, (x, y), (50, 9), 15, 0, 360, (-45.0,) * 3, -1)


def _bricks(rng: np.random.Generator, canvas: np.ndarray) -> None:
    """Courses of bricks of different shades."""
    height, width = canvas.shape[:2]
    for row, y in enumerate(range(0, height, 12)):
        for x in range(-(row % 2) * 14, width, 28):
            shade = (float(rng.uniform(-28, 28)),) * 3
            cv2.rectangle(canvas, (x + 1, y + 1), (x + 26, y + 10), shade, -1)


def _tiles(rng: np.random.Generator, canvas: np.ndarray) -> None:
    """Shining chequered floor below shop windows."""
    height, width = canvas.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width] // 22
    canvas[(rows + columns) % 2 == 0] += 22
    for x in range(int(rng.integers(30)), width, 70):
        shade = tuple(float(v) for v in rng.uniform(-90, 50, 3))
        cv2.rectangle(canvas, (x, 10), (x + 48, height // 2), shade, -1)


def _foliage(rng: np.random.Generator, canvas: np.ndarray) -> None:
    """Leaves of many greens, and trunks."""
    height, width = canvas.shape[:2]
    for x in range(int(rng.integers(60)), width, 90):
        cv2.line(canvas, (x, 0), (x + 8, height), (-45.0, -65.0, -20.0), 14)
    for _ in range(700):
        x, y = int(rng.integers(width)), int(rng.integers(int(0.7 * height)))
        shade = tuple(float(v) for v in rng.uniform(-40, 40) + rng.uniform(-15, 15, 3))
        cv2.circle(canvas, (x, y), int(rng.integers(3, 9)), shade, -1)


def _street(rng: np.random.Generator, canvas: np.ndarray) -> None:
    """Kerbs, poles and parked cars."""
    height, width = canvas.shape[:2]
    for y in (height // 2, int(0.62 * height), int(0.85 * height)):
        cv2.line(canvas, (0, y), (width, y + 14), (50.0,) * 3, 5)
    for x in range(int(rng.integers(50)), width, 64):
        cv2.line(canvas, (x, 0), (x, int(0.7 * height)), (-60.0,) * 3, 5)
    for x in range(int(rng.integers(80)), width, 130):
        shade = tuple(float(v) for v in rng.uniform(-80, 80, 3))
        cv2.rectangle(canvas, (x, int(0.3 * height)), (x + 84, int(0.52 * height)), shade, -1)


_PAINTERS = {
    "plaza": _plaza,
    "bricks": _bricks,
    "tiles": _tiles,
    "foliage": _foliage,
    "street": _street,
}


def make_background(
    rng: np.random.Generator, style: DomainStyle, height: int, width: int
) -> np.ndarray:
    """Paint what a camera sees when nobody is there.

    Args:
        rng: Generator of this camera.
        style: Domain of the camera.
        height: Height of the picture.
        width: Its width, several times that of a person so that crops differ.

    Returns:
        Shape (height, width, 3), uint8 BGR.
    """
    canvas = np.zeros((256, 512, 3), np.float32)
    _PAINTERS[style.background](rng, canvas)
    canvas += np.array(style.ground, np.float32) * rng.uniform(0.8, 1.2)
    canvas += 30 * _clouds(rng, 256, 512, 48)[..., None] + 10 * _clouds(rng, 256, 512, 6)[..., None]
    canvas *= np.linspace(1.1, 0.85, 256, dtype=np.float32)[:, None, None]
    small = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)
    return np.clip(small, 0, 255).astype(np.uint8)


def make_weather(
    rng: np.random.Generator, style: DomainStyle, height: int, width: int
) -> np.ndarray | None:
    """Rain or snow to be added to a picture, (height, width, 3) uint8; None when it is dry."""
    if style.weather == "clear":
        return None
    layer = np.zeros((height, width, 3), np.uint8)
    for _ in range(height * width // 220):
        x, y = int(rng.integers(width)), int(rng.integers(height))
        light = (int(rng.integers(30, 110)),) * 3
        if style.weather == "rain":
            cv2.line(layer, (x, y), (x - 2, y + 9), light, 1, cv2.LINE_AA)
        else:
            cv2.circle(layer, (x, y), int(rng.integers(0, 2)), light, -1, cv2.LINE_AA)
    return layer


def make_noise(rng: np.random.Generator, style: DomainStyle, height: int, width: int) -> np.ndarray:
    """Sensor noise, shape (height, width, 3) int16."""
    return np.rint(style.noise * rng.standard_normal((height, width, 3))).astype(np.int16)


def random_window(rng: np.random.Generator, big: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return a window of a large picture, at random."""
    y = int(rng.integers(big.shape[0] - height + 1))
    x = int(rng.integers(big.shape[1] - width + 1))
    return big[y : y + height, x : x + width]
