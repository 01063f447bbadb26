"""The look of a domain's world: light, colour, weather, background, its people's clothes."""

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
    DomainStyle(  # a sunny plaza
        gain=(0.86, 1.0, 1.12),
        contrast=1.15,
        brightness=2,
        gamma=0.95,
        haze=0.0,
        background="plaza",
        ground=(125, 148, 162),
        weather="clear",
        noise=3.0,
        detail=1.0,
        dull_clothes=0.25,
        warm_clothes=0.2,
    ),
    DomainStyle(  # an overcast campus
        gain=(1.1, 1.02, 0.92),
        contrast=0.85,
        brightness=6,
        gamma=1.0,
        haze=0.15,
        background="bricks",
        ground=(95, 105, 150),
        weather="clear",
        noise=4.0,
        detail=0.8,
        dull_clothes=0.5,
        warm_clothes=0.7,
    ),
    DomainStyle(  # a shopping centre under warm lamps
        gain=(0.74, 0.97, 1.14),
        contrast=1.0,
        brightness=0,
        gamma=1.1,
        haze=0.0,
        background="tiles",
        ground=(165, 180, 190),
        weather="clear",
        noise=5.0,
        detail=0.7,
        dull_clothes=0.35,
        warm_clothes=0.5,
    ),
    DomainStyle(  # a rainy park
        gain=(0.92, 1.1, 0.9),
        contrast=1.0,
        brightness=-8,
        gamma=0.9,
        haze=0.05,
        background="foliage",
        ground=(70, 130, 85),
        weather="rain",
        noise=4.0,
        detail=0.9,
        dull_clothes=0.3,
        warm_clothes=0.4,
    ),
    DomainStyle(  # a blue snowy night
        gain=(1.35, 0.86, 0.72),
        contrast=0.55,
        brightness=-45,
        gamma=1.25,
        haze=0.12,
        background="street",
        ground=(120, 105, 95),
        weather="snow",
        noise=7.0,
        detail=0.6,
        dull_clothes=0.4,
        warm_clothes=0.6,
    ),
)


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
    blue, green, red = gain / gain.mean()
    return DomainStyle(
        gain=(float(blue), float(green), float(red)),
        contrast=float(rng.uniform(0.55, 1.2)),
        brightness=float(rng.uniform(-40, 20)),
        gamma=float(rng.uniform(0.85, 1.25)),
        haze=float(rng.uniform(0, 0.25)),
        background=str(rng.choice(BACKGROUNDS)),
        ground=_as_color(rng.integers(70, 200, 3)),
        weather=str(rng.choice(WEATHERS)),
        noise=float(rng.uniform(3, 7)),
        detail=float(rng.uniform(0.6, 1.0)),
        dull_clothes=float(rng.uniform(0.25, 0.5)),
        warm_clothes=float(rng.uniform(0.2, 0.7)),
    )


def _as_color(channels: np.ndarray) -> tuple[int, int, int]:
    blue, green, red = channels.tolist()
    return blue, green, red
