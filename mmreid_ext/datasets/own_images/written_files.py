"""Write the list of the pictures and the configuration that trains on them."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path

import cv2

from mmreid_ext.errors import UserError
from mmreid_ext.output_files.atomic import atomic_open
from mmreid_ext.pictures.boxes import BOX_COLUMNS, crop
from mmreid_ext.pictures.decode import decode

from .listing import OwnImage
from .plan import Plan

ANNOTATIONS, CONFIG, RUN = "annotations.csv", "config.py", "run"
"""Names in the folder that is written to; ``RUN`` is the work folder of the training."""

_SCRATCH_RATE = 1e-3  # as in configs/_base_/schedules/strong_baseline_laptop.py


def path_in_list(path: Path, folder: Path) -> str:
    """Write a path relative to the folder of the list if they are near, else absolute."""
    real, base = os.path.realpath(path), os.path.realpath(folder)
    try:
        common = os.path.commonpath([real, base])
    except ValueError:  # two drives of Windows
        return Path(real).as_posix()
    if common == os.path.dirname(common):
        return Path(real).as_posix()
    return Path(os.path.relpath(real, base)).as_posix()


def is_writable_path(text: str) -> bool:
    """Return whether a list keeps this path: no line end, no backslash, no blanks around it."""
    return text == text.strip() and text.isprintable() and "\\" not in text


def write_annotations(images: Sequence[OwnImage], folder: Path) -> None:
    """Write the list for ``CSVDataset``, in full or not at all."""
    columns = ["path", "pid", "split"]
    has_cameras = any(image.camera for image in images)
    has_boxes = any(image.box is not None for image in images)
    columns[2:2] = ["camid"] if has_cameras else []
    columns += BOX_COLUMNS if has_boxes else ()
    with atomic_open(folder / ANNOTATIONS, encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for image in images:
            row = [path_in_list(image.path, folder), image.person]
            row += [image.camera] if has_cameras else []
            row.append(image.split)
            box = [""] * 4 if image.box is None else [f"{value:g}" for value in image.box]
            writer.writerow(row + box if has_boxes else row)


def write_crops(images: Sequence[OwnImage], folder: Path) -> list[OwnImage]:
    """Cut every box out into a file of its own; pictures without a box stay where they are.

    Args:
        images: Pictures; neighbours are in the same frame, best.
        folder: Gets a folder ``crops`` with one folder per person.

    Returns:
        The pictures as they are now.
    """
    written, last, frame = [], None, None
    for number, image in enumerate(images):
        if image.box is None:
            written.append(image)
            continue
        if frame is None or image.path != last:
            frame, last = decode(image.path.read_bytes()), image.path
        safe = "".join(c if c.isalnum() or c in "-_" else "_" for c in image.person)
        path = folder / "crops" / safe / f"{number:06d}.png"  # lossless: the same pixels
        path.parent.mkdir(parents=True, exist_ok=True)
        _, data = cv2.imencode(".png", crop(frame, image.box))
        path.write_bytes(data.tobytes())
        written.append(OwnImage(path, image.person, image.camera, image.split, frame=image.frame))
    return written


def config_text(
    plan: Plan, base: Path, source: str, *, protocol: str | None, is_tested: bool, store: bool
) -> str:
    """Write the configuration.

    Args:
        plan: Batches and iterations.
        base: The configuration that it inherits.
        source: The pictures, for the comment.
        protocol: Protocol of the test. None: the camera rule.
        is_tested: Whether there are queries.
        store: Whether decoded training images are kept beside the list.
    """
    if not base.is_file():
        raise UserError(f"The configuration {base} that is to be inherited is not there.")
    weights = "backbone=dict(init_cfg=None), " * plan.from_scratch
    kept = 'loader=dict(store="{{ fileDirname }}/decoded"), ' * store
    rule = f', protocol="{protocol}"' if protocol else ""
    untested = "val_cfg = val_dataloader = val_evaluator = None\n" * (not is_tested)
    shown = " ".join(source.split())
    return f"""# Written by tools/prepare_folder.py from {shown}:
# {plan.num_images} training pictures of {plan.num_classes} people.
_base_ = [{str(base.resolve().as_posix())!r}]

csv_file = "{{{{ fileDirname }}}}/{ANNOTATIONS}"
work_dir = "{{{{ fileDirname }}}}/{RUN}"

model = dict({weights}head=dict(num_classes={plan.num_classes}))

# {plan.people_per_batch} people x {plan.num_instances} pictures.
train_dataloader = dict(
    batch_size={plan.batch_size},
    sampler=dict(num_instances={plan.num_instances}),
    dataset=dict({kept}csv_file=csv_file),
)
val_dataloader = dict(
    dataset=dict(
        sources=[dict(type="mmreid_ext.CSVDataset", csv_file=csv_file{rule})],
    ),
)
test_dataloader = val_dataloader
{untested}
{_schedule_text(plan)}"""


def _schedule_text(plan: Plan) -> str:
    rate = f"optim_wrapper = dict(optimizer=dict(lr={_SCRATCH_RATE:g}))\n" * plan.from_scratch
    return f"""max_iters = {plan.iterations}
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
{rate}param_scheduler = [
    dict(type="LinearLR", by_epoch=False, start_factor=0.1, begin=0, end={plan.warm_up}),
    dict(
        type="CosineAnnealingLR",
        by_epoch=False,
        begin={plan.warm_up},
        end=max_iters,
        T_max=max_iters - {plan.warm_up},
        eta_min_ratio=0.01,
    ),
]
"""
