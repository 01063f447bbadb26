"""The published archive of CUHK03: one MATLAB 7.3 file that holds the pictures."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmengine.logging import print_log

from mmreid_ext.distributed import barrier, is_main
from mmreid_ext.errors import UserError
from mmreid_ext.shorten import brief

_SHOTS_PER_VIEW = 5


def image_name(pair: int, person: int, shot: int) -> str:
    """Return the file name ``<pair>_<person>_<view>_<shot>.png``, all counted from 1."""
    view = 1 if shot <= _SHOTS_PER_VIEW else 2
    return f"{pair:01d}_{person:03d}_{view:01d}_{shot:02d}.png"


def parse_name(name: str) -> tuple[int, int, int]:
    """Camera pair (from 1), person within the pair (from 1) and view (from 0) of a file name.

    Raises:
        ValueError: If the name isn't of that pattern.
    """
    try:
        pair, person, view, _ = name.rpartition(".")[0].split("_")
        return int(pair), int(person), int(view) - 1
    except ValueError:
        raise UserError(f"{brief(name)} is not <pair>_<person>_<view>_<shot>.png.") from None


def extract_images(archive: Path, boxes: str, target: Path) -> None:
    """Write the pictures of one kind of boxes as PNG files: rank 0 once, the others wait.

    Args:
        archive: ``cuhk-03.mat``.
        boxes: ``'detected'`` or ``'labeled'``, the name inside the archive.
        target: Folder to be made; nothing is done where it exists.

    Raises:
        PermissionError: If the folder cannot be made.
    """
    if is_main() and not target.is_dir():
        print_log(
            f"Extracting the {boxes} images of {archive} to {target}, once.", logger="current"
        )
        staging = target.with_name(f".{target.name}-{os.getpid()}")
        try:
            staging.mkdir()
        except OSError as error:
            raise PermissionError(
                f"The images of {archive} must be extracted, but {target.parent} cannot be "
                f"written to ({error}). Extract them elsewhere first and link that as {target}."
            ) from error
        try:
            _write_images(archive, boxes, staging)
            os.replace(staging, target)  # complete or absent
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    barrier()


def _opened(archive: Path) -> Any:
    import h5py  # needed for this one file

    try:
        return h5py.File(archive, "r")
    except OSError as error:
        raise UserError(
            f"{archive} can't be opened as a MATLAB 7.3 file ({error}). Unpack cuhk03_release.zip "
            "again."
        ) from None


def _write_images(archive: Path, boxes: str, folder: Path) -> None:
    with _opened(archive) as file:
        for pair, pair_reference in enumerate(file[boxes][0], 1):
            # (persons, 10) references; MATLAB stores the transpose.
            people = file[pair_reference][:].T
            for person, shots in enumerate(people, 1):
                for shot, reference in enumerate(shots, 1):
                    pixels = file[reference][:].T  # (H, W, 3) RGB, or two zeros for an empty cell
                    if pixels.ndim == 3:
                        _write_png(folder / image_name(pair, person, shot), pixels)


def _write_png(path: Path, pixels: np.ndarray) -> None:
    _, data = cv2.imencode(".png", np.ascontiguousarray(pixels[..., ::-1]))
    path.write_bytes(data.tobytes())


def read_test_sets(archive: Path) -> list[set[tuple[int, int]]]:
    """Return the twenty published test sets of 100 persons: (pair, person), counted from 1."""
    with _opened(archive) as file:
        tables = [file[reference][:].T for reference in file["testsets"][0]]
    return [{(int(pair), int(person)) for pair, person in table} for table in tables]


def read_new_protocol(file: Path) -> dict[str, list[tuple[str, int]]]:
    """Return the protocol with 767 / 700 identities.

    Args:
        file: ``cuhk03_new_protocol_config_detected.mat`` or ``..._labeled.mat``.

    Returns:
        (File name, identity) of the images of each role.

    Raises:
        UserError: If the file is something else.
    """
    from scipy.io import loadmat

    try:
        content: dict[str, Any] = loadmat(file)
        names = [str(cell[0]) for cell in content["filelist"].ravel()]
        pids = content["labels"].ravel().astype(int).tolist()
        return {
            role: [(names[i - 1], pids[i - 1]) for i in content[f"{role}_idx"].ravel().tolist()]
            for role in ("train", "query", "gallery")
        }
    except PermissionError:
        raise
    except Exception as error:  # SciPy has five kinds for a wrong file, one a bare Exception
        raise UserError(
            f"{file} is not a file of CUHK03's new protocol ({type(error).__name__}: {error}). "
            "Download it again."
        ) from error
