"""The program of ``examples/cpp``, built once for all tests and all their processes."""

import cv2
import numpy as np
import pytest
from helpers.cpp_program import build, what_is_missing

SIZES = [(32, 16), (64, 32), (20, 11), (300, 140), (97, 181), (41, 33), (1, 1)]
"""Height and width of pictures: the model's own, twice as large, smaller, larger, wide, odd."""


@pytest.fixture(scope="session")
def program(tmp_path_factory):
    """Path of the built program; skips where something is missing."""
    missing = what_is_missing()
    if missing:
        pytest.skip(f"examples/cpp can't be built here: missing {missing}")
    fcntl = pytest.importorskip("fcntl")
    shared = tmp_path_factory.getbasetemp()
    if shared.name.startswith("popen-"):  # of one of several processes
        shared = shared.parent
    folder = shared / "reid_embed"
    with (shared / "reid_embed.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = folder / "done"
        if not done.exists():
            build(folder)
            done.touch()
    return folder / "reid_embed"


def draw(height, width, seed):
    """A picture of soft coloured patches, BGR."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (max(height // 8, 2), max(width // 8, 2), 3), np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """A folder of JPEG files of several sizes."""
    folder = tmp_path_factory.mktemp("pictures")
    for i, (height, width) in enumerate(SIZES):
        cv2.imwrite(str(folder / f"{i}_{height}x{width}.jpg"), draw(height, width, i))
    return folder
