"""A drawn video of walking people with boxes and identities, in the layout of MOTChallenge."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from mmreid_ext.errors import UserError

from .camera import Camera
from .drawing import draw_figure
from .pedestrian import Pedestrian, make_pedestrian
from .style import domain_style
from .walkers import Walker, make_walker
from .whole_folder import make_whole, write_jpeg

_VERSION = 1  # raise it whenever the pictures or boxes change
_CAMERA, _PASSER_BY, _FRAME = 2, 4, 5  # kinds of random streams; nobody of the data sets walks here
_SEEN, _FOUND, _MISSED, _FALSE = 0.1, 0.35, 0.03, 0.03
"""Shares: a person of whom less is seen isn't in the truth, of whom less is seen isn't found; found
people that the detector misses; frames in which it finds somebody where nobody is."""


def make_synthetic_video(
    out_dir: str | Path,
    num_people: int = 12,
    num_frames: int = 300,
    *,
    size: tuple[int, int] = (360, 640),
    domain: int = 0,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Make a folder with ``img1/000001.jpg``, ``det/det.txt`` and ``gt/gt.txt``.

    People walk through the picture at different depths, hide one another, turn round, leave it and
    come back. None of them is in the sets of :func:`.writer.make_synthetic_domains`. The lines of
    ``gt.txt`` are ``frame,id,x,y,w,h,1,1,visibility``; those of ``det.txt`` are
    ``frame,-1,x,y,w,h,confidence,-1,-1,-1``, with the errors of a person detector: inexact boxes,
    people missed, boxes without anybody. Frames and people are numbered from 1, ``x`` and ``y`` are
    the left and top edge in pixels from 0. The folder appears at once, complete; if it is there
    already with the same settings it is left as it is.

    Args:
        out_dir: Folder to make; its parents are made too.
        num_people: How many walk, ``>= 1``.
        num_frames: Length, ``>= 1``; people cross the picture in about 100.
        size: Height and width of the frames, each ``>= 64``.
        domain: Number of the domain whose world it is, see :func:`.style.domain_style`.
        seed: Seed of everything, ``>= 0``.
        progress: Called as ``progress(done, total)`` after every frame.

    Returns:
        ``out_dir`` as a path.

    Raises:
        ValueError: If a number is out of its range.
        FileExistsError: If ``out_dir`` holds something else than this very video.
    """
    settings = {
        "video": _VERSION,
        "num_people": num_people,
        "num_frames": num_frames,
        "size": list(size),
        "domain": domain,
        "seed": seed,
    }
    _check(settings)

    def write(folder: Path) -> None:
        for name in ("img1", "det", "gt"):
            (folder / name).mkdir()
        scene = _Scene(num_people, num_frames, size, domain, seed)
        truth, found = [], []
        for frame in range(num_frames):
            picture, seen, boxes = scene.shoot(frame)
            write_jpeg(folder / "img1" / f"{frame + 1:06d}.jpg", picture)
            truth += seen
            found += boxes
            if progress is not None:
                progress(frame + 1, num_frames)
        (folder / "gt" / "gt.txt").write_text("".join(truth))
        (folder / "det" / "det.txt").write_text("".join(found))

    return make_whole(Path(out_dir), settings, write)


def drawn_frames(
    count: int, size: tuple[int, int] = (360, 640), domain: int = 0, seed: int = 0
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Draw frames of a crowd with the boxes of those who are in sight.

    Args:
        count: How many frames, 20 steps apart.
        size: See :func:`make_synthetic_video`.
        domain: See there.
        seed: See there.

    Yields:
        The picture, (height, width, 3) uint8 BGR, and left, top, right and bottom edges of the
        people, (N, 4), in pixels; fractions are those of a detector, and edges may lie outside.
    """
    scene = _Scene(12, 20 * count, size, domain, seed)
    for frame in range(0, 20 * count, 20):
        picture, seen = scene.draw(frame)
        rng = np.random.default_rng((*scene.key, frame))
        boxes = np.array([box for _, box, share in seen if share >= _FOUND]).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        yield scene.camera.develop(picture, rng), boxes


def _check(settings: dict) -> None:
    for name, least in {"num_people": 1, "num_frames": 1, "domain": 0, "seed": 0}.items():
        if settings[name] < least:
            raise UserError(
                f"make_synthetic_video: {name}={settings[name]} must be at least {least}."
            )
    if len(settings["size"]) != 2 or min(settings["size"]) < 64:
        raise UserError(
            f"make_synthetic_video: size={settings['size']} must be (height, width), "
            "each at least 64."
        )


class _Scene:
    """A place, its people and its camera."""

    def __init__(
        self, people: int, frames: int, size: tuple[int, int], domain: int, seed: int
    ) -> None:
        style = domain_style(domain, seed)
        self.size, self.key = size, (seed, domain, _FRAME)
        self.camera = Camera(style, 0, (seed, domain, _CAMERA, 0), size)
        self.ground = self.camera.background[: size[0], : size[1]]
        self.cast: list[tuple[int, Pedestrian, Walker]] = []
        for number in range(1, people + 1):
            rng = np.random.default_rng((seed, domain, _PASSER_BY, number))
            person = make_pedestrian(rng, style)
            self.cast.append((number, person, make_walker(rng, frames, size)))
        self.cast.sort(key=lambda one: one[2].feet)  # who is nearer hides the others

    def draw(self, frame: int) -> tuple[np.ndarray, list[tuple[int, tuple[float, ...], float]]]:
        """Return the picture before the camera, and who is seen: number, box, share in sight."""
        picture = self.ground.copy()
        owner = np.zeros(self.size, np.int32)
        drawn = {}
        for number, person, walker in self.cast:
            if not np.isnan(walker.x[frame]):
                drawn[number] = walker, _paint(picture, owner, number, person, walker, frame)
        seen = [
            (number, walker.box(frame), float((owner == number).sum()) / pixels)
            for number, (walker, pixels) in sorted(drawn.items())
        ]
        return picture, [one for one in seen if one[2] >= _SEEN]

    def shoot(self, frame: int) -> tuple[np.ndarray, list[str], list[str]]:
        """Return the picture, its lines of the truth and those of the detector."""
        rng = np.random.default_rng((*self.key, frame))
        picture, seen = self.draw(frame)
        truth, found = [], []
        for number, box, share in seen:
            truth.append(f"{frame + 1},{number},{_numbers(box)},1,1,{share:.3f}\n")
            if share >= _FOUND and rng.random() >= _MISSED:
                found.append(self._detected(rng, frame, box, share))
        if rng.random() < _FALSE:
            found.append(self._mistaken(rng, frame))
        return self.camera.develop(picture, rng), truth, found

    def _detected(
        self, rng: np.random.Generator, frame: int, box: tuple[float, ...], share: float
    ) -> str:
        """Line of a person as the detector finds it: not quite straight, cut off at the edges."""
        x, y, w, h = box
        x, y = x + rng.normal(0, 0.03) * w, y + rng.normal(0, 0.015) * h
        w, h = w * np.exp(rng.normal(0, 0.04)), h * np.exp(rng.normal(0, 0.02))
        right, bottom = min(x + w, self.size[1]), min(y + h, self.size[0])
        x, y = max(x, 0.0), max(y, 0.0)
        sure = float(np.clip(0.55 + 0.4 * share + rng.normal(0, 0.03), 0.3, 0.99))
        return f"{frame + 1},-1,{_numbers((x, y, right - x, bottom - y))},{sure:.3f},-1,-1,-1\n"

    def _mistaken(self, rng: np.random.Generator, frame: int) -> str:
        rows, columns = self.size
        h = rows * rng.uniform(0.2, 0.4)
        x, y = rng.uniform(0, columns - h / 2), rng.uniform(0, rows - h)
        sure = rng.uniform(0.3, 0.5)
        return f"{frame + 1},-1,{_numbers((x, y, h / 2, h))},{sure:.3f},-1,-1,-1\n"


def _numbers(box: tuple[float, ...]) -> str:
    return ",".join(f"{value:.2f}" for value in box)


def _paint(
    picture: np.ndarray,
    owner: np.ndarray,
    number: int,
    person: Pedestrian,
    walker: Walker,
    frame: int,
) -> int:
    """Draw one person, mark the pixels in ``owner``; return how many there would be unhidden."""
    view = "right" if walker.direction[frame] > 0 else "left"
    figure, mask = draw_figure(person, view, float(walker.phase[frame]))
    x, y, w, h = (round(value) for value in walker.box(frame))
    figure = cv2.resize(figure, (w, h), interpolation=cv2.INTER_AREA)
    mask = cv2.resize(mask, (w, h), interpolation=cv2.INTER_AREA)
    rows, columns = owner.shape
    top, bottom = max(y, 0), min(y + h, rows)
    left, right = max(x, 0), min(x + w, columns)
    if right > left and bottom > top:
        inside = slice(top - y, bottom - y), slice(left - x, right - x)
        alpha = mask[inside][..., None].astype(np.float32) / 255
        target = picture[top:bottom, left:right]
        # Around the figure is black, so its colours are weighted by alpha already.
        mixed = target * (1 - alpha) + figure[inside]
        target[:] = np.clip(mixed, 0, 255).astype(np.uint8)
        owner[top:bottom, left:right][mask[inside] > 127] = number
    return max(1, int((mask > 127).sum()))
