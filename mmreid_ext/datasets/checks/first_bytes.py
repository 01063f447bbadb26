"""Tell by the first bytes of a file whether it can be a picture."""

from __future__ import annotations

import os
import stat

_READ = 32  # bytes; every signature below stands within them
_JPEG, _PNG, _BMP = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM"
_KINDS = (
    (_JPEG, "JPEG"),
    (_PNG, "PNG"),
    (_BMP, "BMP"),
    (b"GIF8", "GIF"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "JPEG 2000"),
    *((b"P%d" % number, "PNM") for number in range(1, 8)),
)
_BOXED = {  # brands of ISO media files, which begin with a length and `ftyp`
    b"avif": "AVIF",
    b"avis": "AVIF",
    b"heic": "HEIC",
    b"heix": "HEIC",
    b"mif1": "HEIC",
    b"msf1": "HEIC",
}
_NO_PICTURES = (
    (b"version https://git-lfs", "a pointer of Git LFS; fetch the files by 'git lfs pull'"),
    (b"<!doctype", "a web page, as a failed download leaves it"),
    (b"<html", "a web page, as a failed download leaves it"),
)
_SUFFIXES = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jfif": "JPEG",
    ".png": "PNG",
    ".bmp": "BMP",
    ".gif": "GIF",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WebP",
    ".ppm": "PNM",
    ".pgm": "PNM",
    ".heic": "HEIC",
    ".heif": "HEIC",
    ".avif": "AVIF",
}


def picture_kind(first: bytes) -> str | None:
    """Return the format that first bytes show, for example ``'JPEG'``; None: none known."""
    for mark, kind in _KINDS:
        if first.startswith(mark):
            return kind
    if first[:4] == b"RIFF" and first[8:12] == b"WEBP":
        return "WebP"
    return _BOXED.get(first[8:12]) if first[4:8] == b"ftyp" else None


def suffix_kind(path: str) -> str | None:
    """Return the format that the name of a file promises; None: none."""
    return _SUFFIXES.get(os.path.splitext(path)[1].lower())


def no_picture_message(first: bytes) -> str | None:
    """Say what a file is that is certainly no picture, None if it may be one."""
    if not first:
        return "empty"
    start = first.lstrip().lower()
    return next((words for mark, words in _NO_PICTURES if start.startswith(mark)), None)


def read_first(path: str) -> bytes:
    """Return the first bytes of a file.

    Raises:
        OSError: If it can't be read, or is a pipe, a device or a folder.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):  # to open a pipe would wait for a writer
        raise OSError("not a regular file")
    with open(path, "rb", buffering=0) as file:
        return file.read(_READ)
