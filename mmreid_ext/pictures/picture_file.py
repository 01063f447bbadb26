"""Check the bytes of a picture before and after they are decoded.

OpenCV decodes some files without a word and shows something else than the picture: half of it,
black, or the colours that a transparent part hides. Others take gigabytes. Here such files are
refused or put right.
"""

from __future__ import annotations

import io
import os
import re
import stat
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image, ImageOps

from mmreid_ext.shorten import one_line

from .decode import by_opencv
from .png_structure import PNG_START, check_png

CUT_OFF = "the file is cut off"
MAX_PIXELS = 100_000_000  # decoded 0.3 GB; the largest cameras of today have about as many

_STRIP = 64  # rows that are blended at a time

# To open a pipe for reading waits for a writer, unless one says not to. Windows has no such flag.
_READING = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_JPEG_START, _JPEG_END = b"\xff\xd8", b"\xff\xd9"
# In the compressed data, 0xff is followed by 0 (a byte of data), a restart mark or 0xff (fill).
_JPEG_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_JPEG_ALONE = frozenset((0x00, 0x01, *range(0xD0, 0xD9)))  # markers without a length
_JPEG_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_SCAN = 0xDA
_PNG_ALPHA = (4, 6)  # colour types: grey and colour with alpha
_EIGHT_BITS = (_JPEG_START, b"BM", b"GIF8", b"RIFF")  # formats of 8 bits at most; RIFF is WebP


class Jpeg(NamedTuple):
    """Layout of a JPEG file.

    Args:
        size: Width and height. None: there is no frame header.
        complete: Whether the picture's end is there; anything may follow it.
    """

    size: tuple[int, int] | None
    complete: bool


def read_jpeg(content: bytes) -> Jpeg:
    """Follow the segments of a JPEG file; preview pictures inside a segment are passed over."""
    size, position = None, len(_JPEG_START)
    while True:
        position = content.find(b"\xff", position)
        if position < 0 or position + 2 > len(content):
            return Jpeg(size, False)
        marker = content[position + 1]
        if marker == _JPEG_END[1]:
            return Jpeg(size, True)
        if marker == 0xFF:  # fill
            position += 1
            continue
        if marker in _JPEG_ALONE:
            position += 2
            continue
        if marker in _JPEG_FRAME:
            height, width = content[position + 5 : position + 7], content[position + 7 :][:2]
            size = int.from_bytes(width, "big"), int.from_bytes(height, "big")
        position += 2 + int.from_bytes(content[position + 2 : position + 4], "big")
        if marker != _JPEG_SCAN:
            continue
        if content.endswith(_JPEG_END):  # the usual case: no need to look through the data
            return Jpeg(size, True)
        found = _JPEG_MARKER.search(content, position)
        position = found.start() if found else len(content)


def is_cut_off(path: str | os.PathLike) -> bool:
    """Return whether the file of that name is a JPEG file that lacks its end.

    This is what an interrupted copy leaves. OpenCV 4 decodes such files without an error, even when
    half of the picture is missing; OpenCV 5 and the decoders of other formats refuse them.
    """
    with open(path, "rb") as file:
        content = file.read()
    return content.startswith(_JPEG_START) and not read_jpeg(content).complete


def read_regular_file(path: str | os.PathLike) -> bytes:
    """Return the bytes of a file.

    Raises:
        OSError: If it can't be read, or is a pipe, a device or a folder.
    """
    descriptor = os.open(path, _READING)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError("not a regular file")
        content = os.read(descriptor, status.st_size + 1)
        if len(content) == status.st_size:  # the usual case
            return content
        parts = [content]
        while parts[-1]:
            parts.append(os.read(descriptor, 2**20))
        return b"".join(parts)
    finally:
        os.close(descriptor)


def check_picture(content: bytes, max_pixels: int = MAX_PIXELS) -> None:
    """Refuse what would be decoded to something else than the picture, or to too much.

    Args:
        content: A picture file. Other files are left to the decoder.
        max_pixels: Largest width times height.

    Raises:
        OSError: If the file is empty or cut off, if it has too many pixels, or if it has 16-bit
            values of which only the lower bits are used: decoding keeps the upper eight, so the
            picture would be black.
    """
    if not content:
        raise OSError("the file is empty")
    if content.startswith(_JPEG_START):
        size, complete = read_jpeg(content)
        if not complete:
            raise OSError(CUT_OFF)
    else:
        if content.startswith(PNG_START):
            check_png(content)
        size = _size(content)
    if size is not None and size[0] * size[1] > max_pixels:
        raise OSError(
            f"{size[0]} x {size[1]} pixels are more than max_pixels={max_pixels}; "
            "shrink the picture, or load it with LoadResized(max_pixels=...)"
        )
    if _may_be_deep(content):
        check_depth(by_opencv(content, cv2.IMREAD_UNCHANGED))


def without_alpha(image: np.ndarray, content: bytes) -> np.ndarray:
    """Blend a decoded picture over black where the file says that it is transparent.

    Args:
        image: What a decoder made of the file, shape (H, W, 3). Other shapes are left alone.
        content: The file.

    Raises:
        OSError: If the image is of another size than the file, or its transparent parts are
            damaged.
    """
    if image.ndim != 3 or image.shape[2] != 3 or not _may_be_transparent(content):
        return image
    alpha = _alpha(content)
    if alpha is None:
        return image
    if alpha.shape != image.shape[:2]:
        raise OSError(
            f"its transparent parts, {alpha.shape[1]} x {alpha.shape[0]}, "
            f"don't fit the loaded image, {image.shape[1]} x {image.shape[0]}; "
            "remove the alpha channel, or load it with LoadResized"
        )
    if image.dtype != np.uint8:
        return _blended(image, alpha)
    blended = np.empty_like(image)
    for top in range(0, len(image), _STRIP):  # in float32, a whole picture would take gigabytes
        part = slice(top, top + _STRIP)
        np.rint(_blended(image[part], alpha[part]), out=blended[part], casting="unsafe")
    return blended


def _blended(image: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    return image * (alpha[:, :, None] / np.float32(255))


def _alpha(content: bytes) -> np.ndarray | None:
    try:
        picture = Image.open(io.BytesIO(content))
    # Pillow raises a dozen types. What only OpenCV reads has no transparent parts.
    except Exception:  # noqa: BLE001
        return None
    with picture:
        if not picture.has_transparency_data:
            return None
        try:
            coloured = picture if picture.mode == "RGBA" else picture.convert("RGBA")
            upright = ImageOps.exif_transpose(coloured.getchannel("A"))
        except Exception as error:
            raise OSError(f"its transparent parts are damaged ({one_line(error)})") from error
    return np.asarray(upright)


def _size(content: bytes) -> tuple[int, int] | None:
    if content.startswith(PNG_START):
        return int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")
    try:
        with Image.open(io.BytesIO(content)) as header:  # reads no pixels
            return header.size
    except Image.DecompressionBombError as error:
        raise OSError(f"{str(error).rstrip('.')}; shrink the picture") from None
    # Pillow raises a dozen types; the decoder has the last word.
    except Exception:  # noqa: BLE001
        return None


def _may_be_deep(content: bytes) -> bool:
    if content.startswith(PNG_START):
        return content[24:25] == b"\x10"
    return not content.startswith(_EIGHT_BITS)


def check_depth(image: np.ndarray | None) -> None:
    """Refuse decoded values that would be black when cut down to 8 bits.

    Raises:
        OSError: If the values are 16-bit numbers whose upper half is unused, or no integers.
    """
    if image is None or image.dtype == np.uint8:
        return
    if image.dtype != np.uint16:
        raise OSError(f"its values are of type {image.dtype}; convert it to 8 bits per channel")
    top = int(image[..., :3].max()) if image.ndim == 3 else int(image.max())
    if 0 < top < 1 << 15:
        raise OSError(
            f"its 16-bit values reach {top} of 65535 only, so it would come out black; "
            "convert it to 8 bits per channel"
        )


def _may_be_transparent(content: bytes) -> bool:
    if content.startswith((_JPEG_START, b"BM")):
        return False
    if content.startswith(PNG_START):
        return content[25] in _PNG_ALPHA or b"tRNS" in content[: max(content.find(b"IDAT"), 0)]
    return True
