"""Synthetic domains written to disk in the layout of Market-1501."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from mmreid_ext.errors import UserError

from .camera import Camera
from .pedestrian import make_pedestrian
from .style import domain_style
from .whole_folder import make_whole, write_jpeg

_VERSION = 1  # raise it whenever the pictures change
_IDENTITY, _CAMERA, _IMAGE = 1, 2, 3  # kinds of random streams


def make_synthetic_domains(
    out_dir: str | Path,
    num_domains: int = 5,
    num_ids: int = 100,
    *,
    images_per_camera: int = 2,
    num_cameras: int = 4,
    size: tuple[int, int] = (128, 64),
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Make a folder ``domain_<d>`` per domain, each readable as Market-1501.

    The first half of the identities of a domain (rounded up) is for training, the second for
    testing; the first image of a test identity in each camera is a query, the others are gallery.
    Every image is a function of ``(seed, domain, identity, camera, number)`` and of the versions of
    NumPy and OpenCV. The folder appears at once, complete, with a ``manifest.json``; if it is there
    already with the same settings it is left as it is.

    Args:
        out_dir: Folder to make; its parents are made too.
        num_domains: Number of domains, ``>= 1``. The fifth is a night unlike the four before it.
        num_ids: Identities per domain, ``>= 2``.
        images_per_camera: Images per identity and camera, ``>= 2``.
        num_cameras: Cameras per domain, ``2..99``.
        size: Height and width of the images.
        seed: Seed of everything, ``>= 0``.
        progress: Called as ``progress(done, total)`` after every identity, in images.

    Returns:
        ``out_dir`` as a path.

    Raises:
        ValueError: If a number is out of its range.
        FileExistsError: If ``out_dir`` holds something else than this very set.
    """
    out_dir = Path(out_dir)
    settings = {
        "version": _VERSION,
        "num_domains": num_domains,
        "num_ids": num_ids,
        "images_per_camera": images_per_camera,
        "num_cameras": num_cameras,
        "size": list(size),
        "seed": seed,
    }
    _check(settings)

    def write(folder: Path) -> None:
        total = num_domains * num_ids * num_cameras * images_per_camera
        done = 0
        for domain in range(num_domains):
            for count in _write_domain(folder / f"domain_{domain}", domain, settings):
                done += count
                if progress is not None:
                    progress(done, total)

    return make_whole(out_dir, settings, write)


def _check(settings: dict) -> None:
    least = {"num_domains": 1, "num_ids": 2, "images_per_camera": 2, "num_cameras": 2, "seed": 0}
    for name, minimum in least.items():
        if settings[name] < minimum:
            raise UserError(
                f"make_synthetic_domains: {name}={settings[name]} must be at least {minimum}."
            )
    for name, maximum in {"num_cameras": 99, "num_ids": 9999}.items():
        if settings[name] > maximum:
            raise UserError(
                f"make_synthetic_domains: {name}={settings[name]} must be at most {maximum}."
            )
    if len(settings["size"]) != 2 or min(settings["size"]) < 16:
        raise UserError(
            f"make_synthetic_domains: size={settings['size']} must be (height, width), "
            "each at least 16."
        )


def _write_domain(folder: Path, domain: int, settings: dict) -> Iterator[int]:
    """Write one domain; yield the number of images after every identity."""
    seed, size = settings["seed"], tuple(settings["size"])
    style = domain_style(domain, seed)
    num_cameras = settings["num_cameras"]
    cameras = [Camera(style, c, (seed, domain, _CAMERA, c), size) for c in range(num_cameras)]
    for name in ("bounding_box_train", "query", "bounding_box_test"):
        (folder / name).mkdir(parents=True)
    for pid in range(1, settings["num_ids"] + 1):
        is_test = pid > (settings["num_ids"] + 1) // 2
        person = make_pedestrian(np.random.default_rng((seed, domain, _IDENTITY, pid)), style)
        for c, camera in enumerate(cameras):
            for k in range(settings["images_per_camera"]):
                rng = np.random.default_rng((seed, domain, _IMAGE, pid, c, k))
                role = "bounding_box_train"
                if is_test:
                    role = "query" if k == 0 else "bounding_box_test"
                path = folder / role / f"{pid:04d}_c{c + 1}s1_{k + 1:06d}_00.jpg"
                write_jpeg(path, camera.shoot(person, rng))
        yield num_cameras * settings["images_per_camera"]
