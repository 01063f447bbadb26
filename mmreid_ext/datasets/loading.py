"""Load one image, from a file or from an array, in training, tests and applications."""

from __future__ import annotations

import os
import tempfile
from typing import Any

import cv2
import numpy as np
from mmcv.transforms import LoadImageFromFile
from mmengine.dataset import Compose

from mmreid_ext.pictures.boxes import crop, picture_key
from mmreid_ext.pictures.decode import decode, foreign_format
from mmreid_ext.pictures.picture_file import check_picture, read_regular_file, without_alpha
from mmreid_ext.pictures.read import UnreadableImageError, is_of_the_machine
from mmreid_ext.shorten import one_line

__all__ = ["UnreadableImageError", "build_loader", "load_array", "load_image"]


def build_loader(loader: Any) -> Any:
    """Build a loader from its settings; None and built loaders are returned unchanged."""
    return None if loader is None else Compose([loader]).transforms[0]


def load_image(loader: Any, record: dict) -> dict:
    """Load the image of a record.

    Files on this machine are checked first (see :func:`~.picture_file.check_picture`), and
    transparent parts become black. Where the record has a ``box``, the image is that part of the
    file's picture: the loader gives what it would give for a lossless file of the crop.

    Args:
        loader: The loader of the data set. If it has a true ``refuses_cut_off``, it does all that
            itself, and the file is not looked at twice.
        record: The image record, with ``img_path`` and perhaps ``box`` (left, top, width, height in
            pixels of the upright picture).

    Raises:
        UnreadableImageError: Whatever is wrong with the file, with its name.
        OSError, MemoryError: If the machine has no memory, no room or no more open files to give;
            no picture is to blame for that.
    """
    cause = None
    try:
        if getattr(loader, "refuses_cut_off", False):
            results = loader(record)
        else:
            results = _load_checked(loader, record)
    except Exception as error:  # decoders raise OSError, ValueError, AssertionError, cv2.error, ...
        if is_of_the_machine(error):
            raise
        results, cause = None, error
    if results is None:
        reason = "the loader returned None" if cause is None else str(cause) or repr(cause)
        skip = ", or train with on_corrupt='skip'" if record.get("role") == "train" else ""
        raise UnreadableImageError(
            f"Cannot read image {one_line(record['img_path'], 300)!r}{_owner(record)}: {reason}. "
            f"Restore or delete the file{skip}."
        ) from cause
    if record.get("box") is not None:
        results["img_path"] = picture_key(record["img_path"], record)
    return results


def load_array(loader: Any, image: np.ndarray, record: dict) -> dict:
    """Make of a decoded picture what the loader makes of a lossless file of it.

    Args:
        loader: The loader of the data set. If it has a method ``resize``, that is applied.
        image: Shape (H, W, 3), uint8, BGR.
        record: What else the transforms need; it has no ``img_path``.

    Raises:
        UnreadableImageError: If the loader fails; its cause says why.
    """
    if hasattr(loader, "resize"):
        image = loader.resize(image)
    elif not (isinstance(loader, LoadImageFromFile) and loader.color_type == "color"):
        return _load_through_file(loader, image, record)
    elif loader.to_float32:
        image = image.astype(np.float32)
    size = image.shape[:2]
    return {"img": image, "img_path": "", "img_shape": size, "ori_shape": size, **record}


def _load_through_file(loader: Any, image: np.ndarray, record: dict) -> dict:
    """Let a loader that does more than decoding read a lossless file of the image."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "image.png")
        cv2.imwrite(path, image)
        return load_image(loader, {"img_path": path, **record})


def _owner(record: dict) -> str:
    if not record.get("dataset"):
        return ""
    person = record.get("pid_name", record.get("pid"))
    return f" of {record['dataset']!r} (identity {person})"


def _load_checked(loader: Any, record: dict) -> dict | None:
    path, content = record["img_path"], None
    if os.path.exists(path):  # else it is missing, or in an object store: the loader knows
        content = read_regular_file(path)
        check_picture(content)
        if record.get("box") is not None or foreign_format(content) is not None:
            return _load_decoded(loader, record, content)
    results = loader(record)
    if content is not None and isinstance((results or {}).get("img"), np.ndarray):
        results["img"] = without_alpha(results["img"], content)
    return results


def _load_decoded(loader: Any, record: dict, content: bytes) -> dict:
    """Decode here, and let the loader do the rest: it knows no boxes and few formats."""
    image = without_alpha(decode(content), content)
    if record.get("box") is not None:
        image = crop(image, record["box"])
    others = {key: value for key, value in record.items() if key not in ("img_path", "box")}
    return {**load_array(loader, image, others), "img_path": record["img_path"]}
