"""Turn the bytes of a stranger into a picture, or say why not."""

from __future__ import annotations

import importlib
import io
import re
from collections.abc import Sequence

import numpy as np
from PIL import Image

from mmreid_ext.errors import UserError
from mmreid_ext.pictures.boxes import crop
from mmreid_ext.pictures.decode import foreign_format
from mmreid_ext.pictures.picture_file import read_jpeg
from mmreid_ext.pictures.read import decode_content, is_of_the_machine
from mmreid_ext.shorten import one_line

from .refusals import Refusal, busy

_STARTS = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"BM": "BMP",
}
FORMATS = ("JPEG", "PNG", "WebP", "GIF", "BMP", "AVIF", "HEIC")
"""What uploads may be. Decoders of other formats are rarely tested with hostile files."""

_JPEG_SCAN = b"\xff\xda"
_MAX_SCANS = 40
"""Of a JPEG file: progressive ones have about ten, and each is a pass over all pixels."""

_JPEG_MARKER = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])")
_JPEG_END = 0xD9


def picture_format(content: bytes) -> str | None:
    """Return which of :data:`FORMATS` a file is by its first bytes, None for all others."""
    known = (name for start, name in _STARTS.items() if content.startswith(start))
    return next(known, None) or foreign_format(content)


def decode_upload(content: bytes, max_pixels: int) -> np.ndarray:
    """Return the picture of an uploaded file, upright, (H, W, 3) uint8 in BGR order.

    Args:
        content: The file.
        max_pixels: Largest width times height; looked up before anything is decoded.

    Raises:
        Refusal: 413 for too many pixels, 415 for another format, 422 for a broken file,
            503 if the machine has no memory for it.
    """
    if not content:
        raise Refusal(422, "the file is empty")
    kind = picture_format(content)
    if kind is None:
        raise Refusal(415, f"not a picture; send one of {', '.join(FORMATS)}")
    width, height = _size(content, kind)
    if width * height > max_pixels:
        raise Refusal(
            413, f"{width} x {height} pixels are more than {max_pixels:,}; shrink the picture"
        )
    if kind == "JPEG" and _has_many_scans(content):
        raise Refusal(422, f"a JPEG file of more than {_MAX_SCANS} scans; save it anew")
    try:
        image = decode_content(content, max_pixels)
    # Decoders raise a dozen types; the file is broken, whatever they call it.
    except Exception as error:
        if is_of_the_machine(error):
            raise busy(
                "the service has no memory for this picture; ask again in a moment"
            ) from error
        if isinstance(error, OSError):
            raise Refusal(422, one_line(error, 200).rstrip(".")) from None
        raise Refusal(422, f"the {kind} file is broken ({type(error).__name__})") from None
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise Refusal(422, "the picture has no three colours of 8 bits")
    return image


def _size(content: bytes, kind: str) -> tuple[int, int]:
    """Read width and height from the header."""
    size = None
    if kind == "JPEG":
        size = read_jpeg(content).size
    elif kind == "PNG" and content[12:16] == b"IHDR":
        size = int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")
    elif kind != "PNG":
        if kind == "HEIC":
            _register_heif()
        try:
            with Image.open(io.BytesIO(content)) as header:  # reads no pixels
                size = header.size
        except Image.DecompressionBombError:
            raise Refusal(413, "far too many pixels; shrink the picture") from None
        # Pillow raises a dozen types.
        except Exception:  # noqa: BLE001
            size = None
    if size is None or size[0] < 1 or size[1] < 1:
        raise Refusal(422, f"the {kind} file is broken: its header has no size")
    return size


def _has_many_scans(content: bytes) -> bool:
    """Return whether the first picture of a JPEG file has more scans than any program makes.

    What follows its end doesn't count: telephones append films, which hold any bytes.
    """
    if content.count(_JPEG_SCAN) <= _MAX_SCANS:
        return False
    scans, found = 0, _JPEG_MARKER.search(content, 2)
    while found is not None and found[1][0] != _JPEG_END and scans <= _MAX_SCANS:
        scans += found.group() == _JPEG_SCAN
        length = int.from_bytes(content[found.end() : found.end() + 2], "big")
        found = _JPEG_MARKER.search(content, found.end() + length)
    return scans > _MAX_SCANS


def _register_heif() -> None:
    try:
        importlib.import_module("pillow_heif").register_heif_opener()
    except ImportError:
        raise Refusal(415, "a HEIC file, which isn't read here; convert it to JPEG") from None


def cut_out(image: np.ndarray, box: Sequence[float] | None) -> np.ndarray:
    """Return the part of a picture that a box holds.

    Args:
        image: Shape (H, W, 3).
        box: Left, top, width, height in pixels; None: all of the picture.

    Raises:
        Refusal: 422 if the box doesn't lie in the picture.
    """
    if box is None:
        return image
    try:
        return crop(image, box)
    except UserError as error:
        raise Refusal(422, str(error)) from None
