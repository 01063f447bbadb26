"""How the world of a domain looks: light, colour, weather, background, and what its people wear."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BACKGROUNDS = ("plaza", "bricks", "tiles", "foliage", "street")
WEATHERS = ("clear", "rain", "snow")


@dataclass(frozen=True)
class DomainStyle:
    """Appearance of one domain.

    ``gain``, ``contrast``, ``brightness``, ``gamma`` and ``haze`` act on every pixel alike: the
    kind of gap that instance normalisation can take away. ``background``, ``weather``, ``detail``
    and the clothes are the kind that it cannot.
    """

    gain: tuple[float, float, float]  # colour cast, factors of B, G, R
    contrast: float  # around mid-grey
    brightness: float  # added, in grey levels
    gamma: float
    haze: float  # share of grey veil, 0..1
    background: str  # one of BACKGROUNDS
    ground: tuple[int, int, int]  # main colour of the background, BGR
    weather: str  # one of WEATHERS
    noise: float  # standard deviation in grey levels
    detail: float  # resolution before enlarging, share of the full one
    dull_clothes: float  # share of grey, black and white clothes
    warm_clothes: float  # 0 summer .. 1 winter


_STYLES = (
    DomainStyle((0.86, 1.0, 1.12), 1.15, 12, 0.95, 0.0,
                "plaza", (150, 175, 190), "clear", 3, 1.0, 0.25, 0.2),
    DomainStyle((1.10, 1.02, 0.92), 0.85, 6, 1.0, 0.15,
                "bricks", (95, 105, 150), "clear", 4, 0.8, 0.5, 0.7),
    DomainStyle((0.74, 0.97, 1.14), 1.0, 0, 1.1, 0.0,
                "tiles", (175, 190, 200), "clear", 5, 0.7, 0.35, 0.5),
    DomainStyle((0.92, 1.10, 0.90), 1.0, -8, 0.9, 0.05,
                "foliage", (70, 130, 85), "rain", 4, 0.9, 0.3, 0.4),
    DomainStyle((1.35, 0.86, 0.72), 0.55, -45, 1.25, 0.12,
                "street", (120, 105, 95), "snow", 7, 0.6, 0.4, 0.6),
)  # fmt: skip


def domain_style(index: int, seed: int) -> DomainStyle:
    """Style of a domain.

    The first five are fixed: sunny plaza, overcast campus, shopping centre under warm lamps, rainy
    park and, far from these four, a blue snowy night. Further ones are drawn at random.

    Args:
        index: Number of the domain, from 0.
        seed: Seed of the whole set; only matters from the sixth domain on.

    Returns:
        The style.
    """
    if index < len(_STYLES):
        return _STYLES[index]
    rng = np.random.default_rng((seed, index, 77))
    gain = rng.uniform(0.72, 1.3, 3)
    return DomainStyle(
        gain=tuple(float(g) for g in gain / gain.mean()),
        contrast=float(rng.uniform(0.55, 1.2)),
        brightness=float(rng.uniform(-40, 20)),
        gamma=float(rng.uniform(0.85, 1.25)),
        haze=float(rng.uniform(0, 0.25)),
        background=str(rng.choice(BACKGROUNDS)),
        ground=tuple(int(c) for c in rng.integers(70, 200, 3)),
        weather=str(rng.choice(WEATHERS)),
        noise=float(rng.uniform(3, 7)),
        detail=float(rng.uniform(0.6, 1.0)),
        dull_clothes=float(rng.uniform(0.25, 0.5)),
        warm_clothes=float(rng.uniform(0.2, 0.7)),
    )
