"""Turn a folder of pictures into a list, a configuration and a few lines about both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mmreid_ext.errors import ExistingFileError, UserError
from mmreid_ext.output_files.atomic import atomic_write

from .layouts import read_own_images
from .listing import Listing, OwnImage
from .pictures import Progress, Size, look_at
from .plan import MODELS, Plan, plan_training
from .splitting import asks_cameras, group_people, require_clear_names, split
from .written_files import (
    ANNOTATIONS,
    CONFIG,
    config_text,
    is_writable_path,
    path_in_list,
    write_annotations,
    write_crops,
)

_LARGE = 250_000
"""Pixels of a picture from which decoding takes longer than the rest of its loading."""


@dataclass(frozen=True)
class Options:
    """What the user chose.

    Args:
        out: Folder of the list and the configuration.
        layout: See :data:`.layouts.LAYOUTS`. None: recognised.
        frames: Folder of the frames that a file names.
        model: Key of :data:`.plan.MODELS`.
        from_scratch: Leave ImageNet weights out.
        test_share: Share of the people to test on.
        seed: Seed of the split.
        copy_crops: Whether boxes become files of their own.
        overwrite: Whether an earlier list and configuration are replaced.
        every: Of tracks, use every n-th frame.
    """

    out: Path
    layout: str | None = None
    frames: Path | None = None
    model: str = "r18"
    from_scratch: bool = False
    test_share: float = 0.3
    seed: int = 0
    copy_crops: bool = False
    overwrite: bool = False
    every: int = 1


@dataclass(frozen=True)
class Prepared:
    """What was made.

    Args:
        found: What was read, and what was left out.
        images: The pictures with their roles.
        sizes: Width and height of every picture.
        plan: The training.
        protocol: Protocol of the test. None: the camera rule.
        folder: Where the files are.
    """

    found: Listing
    images: list[OwnImage]
    sizes: list[Size]
    plan: Plan
    protocol: str | None
    folder: Path


def prepare(
    place: Path,
    options: Options,
    find_base: Callable[[str], Path],
    progress: Progress | None = None,
) -> Prepared:
    """Read pictures, split people, write ``annotations.csv`` and ``config.py``.

    Args:
        place: Folder of pictures, or a file that lists them.
        options: What the user chose.
        find_base: Finds a configuration of ours by its name.
        progress: Called with the number of files looked at and of all.

    Raises:
        ExistingFileError: If the folder has such files already.
        UserError: If the pictures can't be used; says what to do.
    """
    _check(options)
    found = read_own_images(place, options.layout, options.frames)
    _thin_out(found, options.every)
    _drop_odd_paths(found, options.out)
    require_clear_names(found.images, str(place))
    sizes = look_at(found, progress)
    images = split(found, options.test_share, options.seed)
    plan = plan_training(images, options.model, options.from_scratch)
    options.out.mkdir(parents=True, exist_ok=True)
    if options.copy_crops:
        images = write_crops(images, options.out)
    protocol = _protocol(images)
    text = config_text(
        plan,
        find_base(MODELS[options.model].base),
        str(place),
        protocol=protocol,
        is_tested=any(image.split == "query" for image in images),
        store=_decodes_long(images, sizes),
    )
    write_annotations(images, options.out)
    atomic_write(options.out / CONFIG, text.encode("utf-8"))
    return Prepared(found, images, sizes, plan, protocol, options.out)


def _check(options: Options) -> None:
    if not 0 <= options.test_share < 1:
        raise UserError(
            f"--test-share {options.test_share:g}: must be from 0 (train on everybody) to below 1."
        )
    if options.seed < 0 or options.every < 1:
        raise UserError(
            f"--seed {options.seed} and --every {options.every}: must be at least 0 and 1."
        )
    if options.out.exists() and not options.out.is_dir():
        raise UserError(f"--out {options.out} is a file; name a folder.")
    there = [name for name in (ANNOTATIONS, CONFIG) if (options.out / name).exists()]
    if there and not options.overwrite:
        raise ExistingFileError(
            f"--out {options.out} has {' and '.join(there)} already. Name another folder, or "
            "replace them by --overwrite."
        )


def _thin_out(found: Listing, every: int) -> None:
    if every > 1:
        kept = [image for image in found.images if image.frame % every == 0]
        found.notes.append(f"--every {every}: {len(kept)} of {len(found.images)} boxes are used.")
        found.images = kept


def _drop_odd_paths(found: Listing, folder: Path) -> None:
    odd = {
        path
        for path in {image.path for image in found.images}
        if not is_writable_path(path_in_list(path, folder))
    }
    found.leave_out(
        "names with a line end, a \\ or a blank at an end; rename them",
        sorted(repr(path.name) for path in odd),
    )
    found.images = [image for image in found.images if image.path not in odd]


def _protocol(images: list[OwnImage]) -> str | None:
    """Switch the camera rule off where the cameras of the tested people can't answer it."""
    tested = [image for image in images if image.split in ("query", "gallery")]
    for group in group_people(tested).values():
        answers = {image.camera for image in group if image.split == "gallery"} - {""}
        for query in (image for image in group if image.split == "query"):
            if not query.camera or not answers - {query.camera}:
                return "no_camera"
    return None if asks_cameras(tested) else "no_camera"


def _decodes_long(images: list[OwnImage], sizes: list[Size]) -> bool:
    if any(image.box is not None for image in images):
        return True
    pixels = sorted(width * height for width, height in sizes)
    return pixels[len(pixels) // 2] > _LARGE
