"""Traits that make a synthetic person recognisable: body, clothes, hair, bag."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import cv2
import numpy as np

from .style import DomainStyle

Color = tuple[int, int, int]  # BGR, 8..247: never the key colour of the figure's canvas

_SKIN = ((150, 180, 225), (130, 160, 205), (100, 130, 180), (70, 95, 140), (45, 62, 95))
_HAIR = ((20, 20, 24), (30, 42, 60), (45, 75, 120), (85, 150, 200), (130, 130, 135), (40, 60, 140))
_PATTERNS = ("plain", "plain", "rings", "stripes", "checks", "halves", "band", "open")


@dataclass(frozen=True)
class Pedestrian:
    """One identity; every field stays the same in all its images.

    Lengths are factors around 1 (``build``, ``torso``) on a body drawn in the canvas of
    :func:`~mmreid_ext.datasets.synthetic.drawing.draw_figure`.
    """

    build: float
    torso: float
    head: float
    skin: Color
    hair: Color
    hair_style: str  # bald | short | long | hat
    hat: Color
    upper: Color
    sleeves: Color
    long_sleeves: bool
    coat: bool
    lower: Color
    lower_kind: str  # trousers | shorts | skirt
    shoes: Color
    bag: str  # none | backpack | handbag | satchel
    bag_color: Color
    fabric: np.ndarray  # texture of the upper clothes, (256, 128, 3) uint8
    fabric_front: np.ndarray  # the same as seen from the front


def _color(rng: np.random.Generator, style: DomainStyle) -> Color:
    """A colour of clothes as people of this domain wear them."""
    if rng.random() < style.dull_clothes:
        hue, saturation, value = (
            rng.random(),
            rng.uniform(0, 0.15),
            rng.choice([0.12, 0.4, 0.62, 0.92]),
        )
    else:
        hue = rng.integers(0, 12) / 12 + rng.uniform(-0.02, 0.02)
        saturation, value = rng.uniform(0.55, 1.0), rng.choice([0.4, 0.65, 0.95])
    rgb = colorsys.hsv_to_rgb(hue % 1.0, saturation, value)
    red, green, blue = np.clip(255 * np.array(rgb), 8, 247).astype(int).tolist()
    return blue, green, red


def _fabric(rng: np.random.Generator, pattern: str, first: Color, second: Color) -> np.ndarray:
    """Texture of the upper clothes on the figure's canvas."""
    fabric = np.empty((256, 128, 3), np.uint8)
    fabric[:] = first
    period = int(rng.integers(12, 22))
    rows, columns = np.arange(256) % period < period // 2, np.arange(128) % period < period // 2
    if pattern == "rings":
        fabric[rows] = second
    elif pattern == "stripes":
        fabric[:, columns] = second
    elif pattern == "checks":
        fabric[rows[:, None] ^ columns[None]] = second
    elif pattern == "halves":
        fabric[int(rng.integers(78, 98)) :] = second
    elif pattern == "band":
        top = int(rng.integers(62, 90))
        fabric[top : top + int(rng.integers(12, 22))] = second
    return fabric


def _front(rng: np.random.Generator, pattern: str, fabric: np.ndarray, second: Color) -> np.ndarray:
    """The fabric seen from the front: an open jacket or, sometimes, a print on the chest."""
    front = fabric.copy()
    if pattern == "open":
        front[:, 56:72] = second
    elif rng.random() < 0.35:
        center, size = (64, int(rng.integers(66, 80))), int(rng.integers(6, 11))
        cv2.circle(front, center, size, second, -1)
    return front


def make_pedestrian(rng: np.random.Generator, style: DomainStyle) -> Pedestrian:
    """Draw the fixed traits of one identity.

    Args:
        rng: Generator of this identity.
        style: Domain whose people dress in their own way.

    Returns:
        The identity.
    """
    upper, second, lower = (_color(rng, style) for _ in range(3))
    pattern = str(rng.choice(_PATTERNS))
    fabric = _fabric(rng, pattern, upper, second)
    kinds = ["trousers", "shorts", "skirt"]
    warm = style.warm_clothes
    return Pedestrian(
        build=float(rng.uniform(0.8, 1.3)),
        torso=float(rng.uniform(0.9, 1.12)),
        head=float(rng.uniform(0.9, 1.12)),
        skin=_SKIN[rng.integers(len(_SKIN))],
        hair=_HAIR[rng.integers(len(_HAIR))],
        hair_style=str(rng.choice(["bald", "short", "long", "hat"], p=[0.08, 0.42, 0.32, 0.18])),
        hat=_color(rng, style),
        upper=upper,
        sleeves=second if rng.random() < 0.2 else upper,
        long_sleeves=bool(rng.random() < warm),
        coat=bool(rng.random() < 0.5 * warm),
        lower=lower,
        lower_kind=str(
            rng.choice(kinds, p=[0.4 + 0.4 * warm, 0.35 - 0.3 * warm, 0.25 - 0.1 * warm])
        ),
        shoes=_color(rng, style),
        bag=str(rng.choice(["none", "backpack", "handbag", "satchel"], p=[0.34, 0.26, 0.2, 0.2])),
        bag_color=_color(rng, style),
        fabric=fabric,
        fabric_front=_front(rng, pattern, fabric, second),
    )
