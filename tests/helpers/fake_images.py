"""Tiny picture files in the layouts of real data sets."""

from pathlib import Path

import cv2
import numpy as np


def write_image(path: Path, color: int = 0, size: tuple[int, int] = (8, 4)) -> Path:
    """Write a noisy picture of (height, width) = ``size``; ``color`` seeds the noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(color).integers(0, 256, (*size, 3), dtype=np.uint8)
    _, data = cv2.imencode(path.suffix, pixels)
    path.write_bytes(data.tobytes())
    return path


def write_images(folder: Path, *names: str) -> Path:
    """Write a picture under each of the names; returns ``folder``."""
    for color, name in enumerate(names):
        write_image(folder / name, color)
    return folder


def write_market(root: Path, train: int = 3, test: int = 2) -> Path:
    """Market-1501 layout: ``train`` + ``test`` identities, two cameras, two shots (query: one)."""
    folder = root / "Market-1501-v15.09.15"
    names = []
    for pid in range(1, train + test + 1):
        number = 10 * pid  # gaps, so that ids and labels differ
        for camera in (1, 2):
            box = f"{number:04d}_c{camera}s1_000{pid}51"
            part = "bounding_box_train" if pid <= train else "bounding_box_test"
            names += [f"{part}/{box}_01.jpg", f"{part}/{box}_02.jpg"]
            if pid > train:
                names.append(f"query/{box}_00.jpg")
    names += [f"bounding_box_test/{pid}_c1s1_000001_00.jpg" for pid in ("-1", "0000")]
    return write_images(folder, *names)
