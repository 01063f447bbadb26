"""Pictures of every format that is read: sound ones are right, damaged ones end in one line."""

from __future__ import annotations

import importlib.util
import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image, features

from mmreid_ext.pictures.decode import upright_size
from mmreid_ext.pictures.read import UnreadableImageError, read_picture
from mmreid_ext.pictures.thumbnail import jpeg_thumbnail

from .mutation import mutated
from .running import Mismatch, Part

_WORDS = (
    *(b"\x00", b"\xff", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x00\x00\xff\xff", b"\x80\x00"),
    *(
        b"IDAT",
        b"IEND",
        b"IHDR",
        b"tRNS",
        b"PLTE",
        b"\xff\xd8",
        b"\xff\xd9",
        b"\xff\xc0",
        b"\xff\xda",
    ),
    *(b"RIFF", b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"GIF89a", b"BM", b"II*\x00", b"ftyp"),
    *(b"P6\n9999 9999\n255\n", b"\xff\xe1", b"Exif\x00\x00", b"moov", b"mdat", b"\x00" * 64),
)
_PIXELS = 400_000


def prepare(folder: Path) -> tuple[Path, list[tuple[str, bytes]]]:
    """Make sound files of all formats, and see that they are read as they were drawn."""
    rng = np.random.default_rng(0)
    smooth = cv2.resize(rng.integers(0, 256, (6, 3, 3), dtype=np.uint8), (16, 32))
    found = list(_opencv_files(smooth)) + list(_pillow_files(smooth))
    for name, content in found:
        path = folder / name
        path.write_bytes(content)
        image = read_picture(path)
        exact = not name.startswith(
            ("jpg", "webp_lossy", "avif", "heic", "gif", "p_", "deep", "a_")
        )
        expected = smooth[:, :, 1:2].repeat(3, axis=2) if name.startswith("grey") else smooth
        if image.shape != (32, 16, 3) or (exact and not np.array_equal(image, expected)):
            raise Mismatch(f"{name} is not read as it was written")
        path.unlink()
    return folder, found


def _opencv_files(image: np.ndarray) -> Any:
    grey, alpha = image[:, :, 1], np.dstack([image, 255 - image[:, :, 0]])
    deep = (image.astype(np.uint16) * 257).clip(1)
    deep[0, 0] = 65535
    for name, suffix, pixels in (
        *(("jpg", ".jpg", image), ("jpg_grey", ".jpg", grey), ("png", ".png", image)),
        *(("grey_png", ".png", grey), ("a_png", ".png", alpha), ("deep_png", ".png", deep)),
        *(("bmp", ".bmp", image), ("tiff", ".tiff", image), ("ppm", ".ppm", image)),
        *(("webp_lossy", ".webp", image),),
    ):
        done, content = cv2.imencode(suffix, pixels)
        if not done:
            raise Mismatch(f"OpenCV writes no {name}")
        yield f"{name}{suffix}", content.tobytes()


def _pillow_files(image: np.ndarray) -> Any:
    picture = Image.fromarray(image[:, :, ::-1])
    exif = Image.Exif()
    exif[0x0112] = 3
    kinds: list[tuple[str, Image.Image, dict[str, Any]]] = [
        ("gif.gif", picture.quantize(64), {}),
        ("p_palette.png", picture.quantize(64), dict(transparency=0)),
        ("jpg_progressive.jpg", picture, dict(progressive=True)),
        ("jpg_turned.jpg", picture.rotate(180), dict(exif=exif)),
        ("webp.webp", picture, dict(lossless=True)),
        ("tiff_packed.tiff", picture, dict(compression="tiff_lzw")),
    ]
    if features.check("avif"):
        kinds.append(("avif.avif", picture, {}))
    if importlib.util.find_spec("pillow_heif") is not None:
        import pillow_heif

        pillow_heif.register_heif_opener()
        kinds.append(("heic.heic", picture, {}))
    for name, one, options in kinds:
        file = io.BytesIO()
        one.save(file, format=_FORMATS[name.rpartition(".")[2]], **options)
        yield name, file.getvalue()


_FORMATS = dict(
    gif="GIF", png="PNG", jpg="JPEG", webp="WEBP", tiff="TIFF", avif="AVIF", heic="HEIF"
)


def case(rng: np.random.Generator, prepared: tuple[Path, list[tuple[str, bytes]]]) -> str:
    """Damage one file, and read it."""
    folder, files = prepared
    name, content = files[int(rng.integers(0, len(files)))]
    path = folder / name
    path.write_bytes(mutated(rng, content, _WORDS))
    suffix = name.rpartition(".")[2]
    try:
        upright_size(path)
        image = read_picture(path, _PIXELS)
    except UnreadableImageError as error:
        if str(path) not in str(error) or not str(error).isprintable():
            raise Mismatch(f"the message names no file, or is no line: {error}") from error
        return f"{suffix}: refused"
    finally:
        path.unlink()
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise Mismatch(f"a picture of shape {image.shape} and type {image.dtype}")
    if image.shape[0] * image.shape[1] > _PIXELS:
        raise Mismatch(f"a picture of {image.shape}, more than was allowed")
    jpeg_thumbnail(image, 16)
    return f"{suffix}: read"


PART = Part(
    "pictures",
    "damaged pictures of every format that is read",
    case,
    prepare,
    seconds=1.0,
    noisy=True,
)
