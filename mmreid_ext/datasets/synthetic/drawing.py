"""A pedestrian drawn with a handful of polygons, in one of four views and any phase of walking."""

from __future__ import annotations

import cv2
import numpy as np

from .pedestrian import Color, Pedestrian

HEIGHT, WIDTH = 256, 128  # canvas; the person stands on y = 248 with the head's top near y = 10
_KEY = (1, 2, 3)  # colour of "nothing here"
_BLANK = np.full((HEIGHT, WIDTH, 3), _KEY, np.uint8)
_CENTER, _SHOULDER_Y, _FEET_Y = 64, 48, 242


def draw_figure(
    person: Pedestrian, view: str, phase: float, lean: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Draw one person.

    Args:
        person: Who.
        view: ``'front'``, ``'back'``, ``'left'`` or ``'right'``.
        phase: Phase of walking in [0, 1).
        lean: Sideways shift of the head in pixels of the canvas.

    Returns:
        The picture (256, 128, 3) uint8 BGR and its mask (256, 128) uint8, 0 or 255.
    """
    canvas = _BLANK.copy()
    _Figure(person, view, phase, lean, canvas).draw()
    if view == "left":
        canvas = np.ascontiguousarray(canvas[:, ::-1])
    return canvas, cv2.bitwise_not(cv2.inRange(canvas, _KEY, _KEY))


def _darker(color: Color, factor: float = 0.72) -> Color:
    blue, green, red = (max(8, int(channel * factor)) for channel in color)
    return blue, green, red


class _Figure:
    """Measures of one drawing; every method paints one part, in the order of :meth:`draw`."""

    def __init__(
        self, person: Pedestrian, view: str, phase: float, lean: float, canvas: np.ndarray
    ) -> None:
        self.person, self.view, self.canvas = person, view, canvas
        self.side = view in ("left", "right")
        self.swing = float(np.sin(2 * np.pi * phase))
        self.shoulder = (17 if self.side else 26) * person.build
        self.hip = (15 if self.side else 20) * person.build
        self.hip_y = _SHOULDER_Y + 84 * person.torso
        self.limb = 17 * person.build
        self.head_x, self.head_y, self.head_r = _CENTER + lean, 28.0, 15 * person.head

    def draw(self) -> None:
        if self.person.bag == "backpack" and self.side:
            self._backpack()
        self._arm(-1)
        for which in (-1, 1):
            self._leg(which)
        self._torso()
        self._bag()
        self._arm(1)
        self._head()

    def _line(self, points: list, color: Color, width: float) -> None:
        corners = np.rint(np.array(points)).astype(np.int32)
        cv2.polylines(self.canvas, [corners], False, color, max(1, int(width)))

    def _polygon(self, points: list, color: Color) -> None:
        cv2.fillPoly(self.canvas, [np.rint(np.array(points)).astype(np.int32)], color)

    def _ellipse(
        self, x: float, y: float, w: float, h: float, color: Color, arc: tuple[int, int] = (0, 360)
    ) -> None:
        center, axes = (round(x), round(y)), (max(1, round(w)), max(1, round(h)))
        cv2.ellipse(self.canvas, center, axes, 0, arc[0], arc[1], color, -1)

    def _leg(self, which: int) -> None:
        person, color = self.person, self.person.lower
        if which < 0 and self.side:
            color = _darker(color)
        x = _CENTER + (0 if self.side else which * 0.52 * self.hip)
        step = which * self.swing * (30 if self.side else 3)
        lift = max(0.0, which * self.swing) * (0 if self.side else 6)
        knee = (x + 0.55 * step + (2 if self.side else 0), (self.hip_y + _FEET_Y) / 2)
        foot = (x + step, _FEET_Y - lift)
        bare = person.lower_kind != "trousers"
        self._line(
            [(x, self.hip_y), knee, foot],
            person.skin if bare else color,
            self.limb * (0.7 if bare else 1),
        )
        if person.lower_kind == "shorts":
            self._line([(x, self.hip_y), knee], color, self.limb * 1.15)
        toe = 6 if self.side else 0
        self._ellipse(foot[0] + toe, foot[1] + 3, 0.55 * self.limb + toe / 2, 5, person.shoes)

    def _torso(self) -> None:
        person, hip_y = self.person, self.hip_y
        if person.lower_kind == "skirt":
            hem = hip_y + 44
            wide = 1.25 * self.hip + (6 if self.side else 2)
            c, h = _CENTER, self.hip
            self._polygon(
                [(c - h, hip_y - 8), (c + h, hip_y - 8), (c + wide, hem), (c - wide, hem)],
                person.lower,
            )
        self._line([(self.head_x, self.head_y), (_CENTER, _SHOULDER_Y + 4)], person.skin, 13)
        bottom = hip_y + (46 if person.coat else 4)
        c, s, h = _CENTER, self.shoulder, self.hip * (1.12 if person.coat else 1.0)
        outline = [
            (c - 0.45 * s, _SHOULDER_Y - 5),
            (c + 0.45 * s, _SHOULDER_Y - 5),
            (c + s, _SHOULDER_Y + 5),
            (c + h, hip_y - 20),
            (c + h, bottom),
            (c - h, bottom),
            (c - h, hip_y - 20),
            (c - s, _SHOULDER_Y + 5),
        ]
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        cv2.fillPoly(mask, [np.rint(np.array(outline)).astype(np.int32)], 255)
        cv2.copyTo(
            person.fabric_front if self.view == "front" else person.fabric, mask, self.canvas
        )

    def _arm(self, which: int) -> None:
        person = self.person
        color = person.sleeves if which > 0 or not self.side else _darker(person.sleeves)
        x = _CENTER + (0 if self.side else which * (self.shoulder - 2))
        step = -which * self.swing * (24 if self.side else 0)
        shoulder = (x, _SHOULDER_Y + 8)
        elbow = (x + 0.4 * step + (0 if self.side else which * 5), _SHOULDER_Y + 44)
        hand = (x + step + (0 if self.side else which * 6), _SHOULDER_Y + 80)
        width = 0.62 * self.limb
        self._line([shoulder, elbow, hand], person.skin, 0.8 * width)
        self._line(
            [shoulder, elbow, hand] if person.long_sleeves else [shoulder, elbow], color, width
        )
        if person.bag == "handbag" and which > 0 and self.view != "left":
            self._polygon(
                [
                    (hand[0] - 9, hand[1]),
                    (hand[0] + 9, hand[1]),
                    (hand[0] + 12, hand[1] + 26),
                    (hand[0] - 12, hand[1] + 26),
                ],
                person.bag_color,
            )

    def _backpack(self) -> None:
        edge = _CENTER - self.shoulder + 4
        points = [(edge, 50), (edge - 16, 56), (edge - 18, 106), (edge, 110)]
        self._polygon(points, self.person.bag_color)

    def _bag(self) -> None:
        person, color, s = self.person, self.person.bag_color, self.shoulder
        if person.bag == "backpack" and self.view == "back":
            self._polygon(
                [
                    (_CENTER - 0.75 * s, 50),
                    (_CENTER + 0.75 * s, 50),
                    (_CENTER + 0.8 * s, 108),
                    (_CENTER - 0.8 * s, 108),
                ],
                color,
            )
            self._line([(_CENTER - 0.6 * s, 84), (_CENTER + 0.6 * s, 84)], _darker(color), 3)
        elif person.bag == "backpack" and self.view == "front":
            for which in (-1, 1):
                x = _CENTER + which * 0.6 * s
                self._line([(x, 44), (x, 96)], color, 6)
        elif person.bag == "satchel":
            flip = -1 if self.view == "back" else 1  # seen from behind it hangs on the other side
            start, end = _CENTER - flip * 0.7 * s, _CENTER + flip * 0.9 * s
            self._line([(start, 46), (end, self.hip_y - 8)], color, 5)
            self._polygon(
                [
                    (end - 12, self.hip_y - 12),
                    (end + 12, self.hip_y - 12),
                    (end + 12, self.hip_y + 16),
                    (end - 12, self.hip_y + 16),
                ],
                color,
            )

    def _head(self) -> None:
        person, x, y, r = self.person, self.head_x, self.head_y, self.head_r
        hairy, back = person.hair_style != "bald", self.view == "back"
        if person.hair_style == "long" and not back:
            self._long_hair()
        self._ellipse(x, y, 0.82 * r, 1.12 * r, person.skin)
        if hairy and back:
            self._ellipse(x, y - 1, 0.9 * r, 1.15 * r, person.hair)
        elif hairy:
            arc = (150, 320) if self.side else (180, 360)
            self._ellipse(x - (2 if self.side else 0), y - 0.25 * r, 0.95 * r, r, person.hair, arc)
        if person.hair_style == "long" and back:
            self._long_hair()
        if person.hair_style == "hat":
            brim = 0.9 * r if self.side else 0
            self._ellipse(x, y - 0.35 * r, 1.0 * r, 0.95 * r, person.hat, (180, 360))
            self._line([(x - r, y - 0.35 * r), (x + r + brim, y - 0.35 * r)], person.hat, 5)

    def _long_hair(self) -> None:
        """Down to the shoulders: over the whole back, behind the ear, or framing the face."""
        x, y, r = self.head_x, self.head_y, self.head_r
        if self.view == "back":
            strands = [(-1.0, 1.0)]
        elif self.side:
            strands = [(-1.3, 0.1)]
        else:
            strands = [(-1.05, -0.4), (0.4, 1.05)]
        bottom = y + (2.6 if self.view == "back" else 2.2) * r
        for left, right in strands:
            corners = [(left, y), (right, y), (right, bottom), (left, bottom)]
            self._polygon([(x + dx * r, dy) for dx, dy in corners], self.person.hair)
