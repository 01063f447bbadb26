"""A camera of a domain: its view, light and blur, and the errors of its person detector."""

from __future__ import annotations

import cv2
import numpy as np

from .drawing import HEIGHT, WIDTH, draw_figure
from .pedestrian import Pedestrian
from .scene import make_background, make_noise, make_weather, random_window
from .style import DomainStyle

_VIEWS = ("front", "right", "back", "left")
_OFF_VIEW = 0.25  # share of people who walk another way than most do before this camera
_OCCLUDED = 0.2  # share of images in which something stands in front of the person


class Camera:
    """Takes pictures of pedestrians.

    Args:
        style: Domain that the camera stands in.
        index: Number of the camera in the domain; it decides the usual view.
        seed: Entropy of the camera, a tuple of integers.
        size: Height and width of the images.
    """

    def __init__(
        self, style: DomainStyle, index: int, seed: tuple[int, ...], size: tuple[int, int]
    ) -> None:
        rng = np.random.default_rng(seed)
        self.style, self.size = style, size
        self.view = _VIEWS[index % len(_VIEWS)]
        self.light = float(rng.uniform(0.85, 1.15))
        self.tint = rng.uniform(0.96, 1.04, 3)
        self.blur = float(rng.uniform(0, 0.8))
        self.slant = float(rng.uniform(-0.06, 0.06))
        height, width = size
        self.background = make_background(rng, style, int(1.3 * height), 5 * width)
        self._weather = make_weather(rng, style, 2 * height, 3 * width)
        self._noise = make_noise(rng, style, 2 * height, 3 * width)

    def shoot(self, person: Pedestrian, rng: np.random.Generator) -> np.ndarray:
        """Take one picture.

        Args:
            person: Who walks by.
            rng: Generator of this picture: pose, crop, light, occlusion.

        Returns:
            Shape (height, width, 3), uint8 BGR.
        """
        height, width = self.size
        view = str(rng.choice(_VIEWS)) if rng.random() < _OFF_VIEW else self.view
        figure, mask = draw_figure(person, view, rng.random(), rng.uniform(-3, 3))
        figure, mask = self._crop(figure, mask, rng)
        image = random_window(rng, self.background, height, width).astype(np.float32)
        left, right = rng.uniform(0.85, 1.1, 2).tolist()
        shade = np.linspace(left, right, width, dtype=np.float32)[None, :, None]
        alpha = mask.astype(np.float32)[..., None] / 255
        # Around the figure is black, so its colours are weighted by alpha already.
        image += figure * shade - alpha * image
        image = np.clip(image, 0, 255).astype(np.uint8)
        if rng.random() < _OCCLUDED:
            self._occlude(image, rng)
        return self.develop(image, rng)

    def _crop(
        self, figure: np.ndarray, mask: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Frame the person as a detector would: not quite straight, not quite centred."""
        height, width = self.size
        scale = rng.uniform(0.88, 1.1)
        sx, sy = scale * width / WIDTH * rng.uniform(0.94, 1.06), scale * height / HEIGHT
        x = width / 2 + rng.normal(0, 0.05) * width - sx * WIDTH / 2
        y = height / 2 + rng.normal(0, 0.03) * height - sy * HEIGHT / 2
        slant = self.slant + rng.normal(0, 0.02)
        matrix = np.array([[sx, -slant * sx, x + slant * sx * HEIGHT / 2], [0, sy, y]])
        if sy < 0.75:  # the linear interpolation of the warp would skip pixels: halve first
            matrix[:, :2] *= 2
            half = (WIDTH // 2, HEIGHT // 2)
            mask = cv2.resize(mask, half, interpolation=cv2.INTER_AREA)
            figure = cv2.resize(figure, half, interpolation=cv2.INTER_AREA)
        return (
            cv2.warpAffine(figure, matrix, (width, height)),
            cv2.warpAffine(mask, matrix, (width, height)),
        )

    def _occlude(self, image: np.ndarray, rng: np.random.Generator) -> None:
        """Put a pole, a box or the edge of a wall in front of the person."""
        height, width = self.size
        color = tuple(int(c) for c in rng.integers(30, 180, 3))
        kind = rng.integers(3)
        if kind == 0:
            x, thick = int(rng.integers(width)), int(rng.integers(width // 10, width // 6))
            image[:, x : x + thick] = color
        elif kind == 1:
            image[height - int(rng.uniform(0.12, 0.3) * height) :] = color
        else:
            edge = int(rng.uniform(0.1, 0.28) * width)
            image[:, slice(edge) if rng.random() < 0.5 else slice(width - edge, width)] = color

    def develop(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Turn what stands before the camera into what it records.

        Resolution, blur, weather, tone and noise are those of the camera and its domain.

        Args:
            image: Shape (height, width, 3), uint8 BGR.
            rng: Generator of this picture.

        Returns:
            The picture, of the same shape.
        """
        height, width = self.size
        style = self.style
        detail = style.detail * rng.uniform(0.8, 1.0)
        if detail < 0.95:
            small = (max(8, round(width * detail)), max(16, round(height * detail)))
            image = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
            image = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
        blur = self.blur * rng.uniform(0.5, 1.5)
        if blur > 0.3:
            image = cv2.GaussianBlur(image, (0, 0), blur)
        if self._weather is not None:
            image = cv2.add(image, random_window(rng, self._weather, height, width))
        image = cv2.LUT(image, self._tone(self.light * rng.uniform(0.9, 1.1)))
        noise = random_window(rng, self._noise, height, width)
        return np.clip(image + noise, 0, 255).astype(np.uint8)

    def _tone(self, light: float) -> np.ndarray:
        """Look-up table (1, 256, 3) of light, gamma, contrast, haze and colour cast."""
        style = self.style
        tone = 255 * (np.arange(256) / 255) ** style.gamma * light
        tone = (tone - 128) * style.contrast + 128 + style.brightness
        tone = (1 - style.haze) * tone + style.haze * 200
        table = tone[:, None] * (np.array(style.gain) * self.tint)
        return np.clip(table, 0, 255).astype(np.uint8)[None]
