"""Decode a picture file: by OpenCV, or by Pillow and its plugins where OpenCV can't."""

from __future__ import annotations

import importlib
import io
import os

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from mmreid_ext.shorten import one_line

_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
_AVIF_BRANDS = (b"avif", b"avis")
_ORIENTATION = 0x0112  # of EXIF
_ON_ITS_SIDE = 5  # orientations from here on exchange width and height
_HEIF_PACKAGE = "pillow_heif"


def decode(content: bytes, flags: int = cv2.IMREAD_COLOR) -> np.ndarray:
    """Return the picture of a file, upright, (H, W, 3) uint8 in BGR order.

    Args:
        content: The bytes of the file.
        flags: How OpenCV decodes, for files that it can.

    Raises:
        OSError: If it is no picture, or a package is missing; names the package.
    """
    kind = foreign_format(content)
    if kind != "HEIC":  # OpenCV has no decoder of that
        image = by_opencv(content, flags)
        if image is not None:
            return image
    if kind is None:
        raise OSError("not an image")
    return _by_pillow(content, kind)


def by_opencv(content: bytes, flags: int) -> np.ndarray | None:
    """Decode as OpenCV does; None for what it doesn't know or finds damaged."""
    try:
        return cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:
            raise MemoryError(str(error)) from error
        return None


def foreign_format(content: bytes) -> str | None:
    """Return ``'HEIC'``, ``'AVIF'`` or ``'WebP'``, or None for all other files."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WebP"
    if content[4:8] != b"ftyp":
        return None
    brands = content[8 : int.from_bytes(content[:4], "big")]
    if any(brand in brands for brand in _AVIF_BRANDS):
        return "AVIF"
    return "HEIC" if any(brand in brands for brand in _HEIF_BRANDS) else None


def upright_size(path: str | os.PathLike) -> tuple[int, int] | None:
    """Read width and height of a picture from its header, as it is shown; None if unreadable."""
    try:
        with open(path, "rb") as file:
            head = file.read(64)
            if foreign_format(head) == "HEIC":
                _register_heif()
            file.seek(0)
            with Image.open(file) as picture:
                width, height = picture.size
                on_its_side = picture.getexif().get(_ORIENTATION, 1) >= _ON_ITS_SIDE
    # Pillow raises a dozen types; the loader says what is wrong with the file.
    except Exception:  # noqa: BLE001
        return None
    return (height, width) if on_its_side else (width, height)


def _by_pillow(content: bytes, kind: str) -> np.ndarray:
    if kind == "HEIC":
        _register_heif()
    try:
        with Image.open(io.BytesIO(content)) as picture:
            upright = ImageOps.exif_transpose(picture).convert("RGB")
    except MemoryError:
        raise
    except UnidentifiedImageError as error:
        raise OSError(
            f"a {kind} file that neither OpenCV nor Pillow decodes here; "
            "update Pillow (pip install -U pillow), or convert the picture to JPEG"
        ) from error
    # Pillow and its plugins raise a dozen types for damaged files.
    except Exception as error:
        raise OSError(f"a damaged {kind} file ({one_line(error)})") from error
    return cv2.cvtColor(np.asarray(upright), cv2.COLOR_RGB2BGR)


def _register_heif() -> None:
    try:
        plugin = importlib.import_module(_HEIF_PACKAGE)
    except ImportError:
        raise OSError(
            "a HEIC file, which needs a package: pip install pillow-heif; "
            "or convert the picture to JPEG (on a Mac: sips -s format jpeg IN.heic --out OUT.jpg)"
        ) from None
    plugin.register_heif_opener()
