"""Make requests that a careless or hostile client might send, each from one number."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

BOUNDARY = b"----mutated1234"
PATHS = {"/embed": "images", "/search": "image", "/enroll": "images", "/compare": "a"}
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
_INTERESTING = (
    b"\x00",
    b"\xff",
    b"\x7f",
    b"\x80",
    b"\r\n",
    b"\r\n\r\n",
    b"--",
    b"\xff\xff\xff\xff",
)
_VALUES = (
    *("", "0", "-1", "nan", "NaN", "inf", "-inf", "1e309", "9" * 400, "1.5", "true", "null", "[]"),
    *("1,2,3,4", "0,0,1e6,1e6", "nan,nan,nan,nan", "-5,-5,10,10", "0,0,0,0", "1,2,3", ",,,"),
    *(
        "2026-05-31T14:00:00Z",
        "9999-12-31",
        "0001-01-01",
        "2026-02-30",
        "anna",
        "a/b",
        "../..",
        ".",
    ),
    *("\x00", "a\x00b", "\u202eabc", "\U0001f469" * 50, "x" * 5000, "' OR 1=1 --", "%s%n", "${x}"),
    *("<script>", "\r\nX: y", "\ud7ff", "é" * 300),
)
_FIELDS = (
    "topk",
    "box",
    "camera",
    "not_camera",
    "since",
    "until",
    "identity",
    "rerank",
    "time",
    "x",
)
_KINDS = (
    *("image/jpeg", "image/png", "application/octet-stream", "text/plain", "application/json", ""),
    *("multipart/form-data", "multipart/form-data; boundary=", "multipart/mixed; boundary=x"),
    *(
        "multipart/form-data; boundary=" + "y" * 500,
        "image/" + "z" * 2000,
        "multipart/form-data; b",
    ),
)


@dataclass(frozen=True)
class Attempt:
    """One request, as bytes.

    Attributes:
        kind: What was done to it.
        pieces: Sent one after the other.
        pause: Seconds between the pieces.
        leave: Whether the client goes away instead of waiting for the answer.
        cut: Whether the body may be shorter than promised; the client then says that it has ended.
    """

    kind: str
    pieces: Sequence[bytes]
    pause: float = 0.0
    leave: bool = False
    cut: bool = False


def pictures(seed: int = 0) -> list[bytes]:
    """Return sound picture files of every format that is read, small enough to be sent often."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (8, 4, 3)).astype(np.uint8).repeat(8, 0).repeat(8, 1)
    image = Image.fromarray(pixels)
    variants: list[tuple[Image.Image, str, dict[str, Any]]] = [(image, f, {}) for f in _FORMATS]
    exif = Image.Exif()
    exif[0x0112] = 6
    variants += [
        (image, "JPEG", {"progressive": True}),
        (image, "JPEG", {"exif": exif, "quality": 30}),
        (image.convert("L"), "JPEG", {}),
        (image.convert("CMYK"), "JPEG", {}),
        (image.convert("RGBA"), "PNG", {}),
        (image.convert("P"), "PNG", {"transparency": 3}),
        (image.convert("1"), "PNG", {}),
        (Image.fromarray(pixels[..., 0].astype(np.uint16) * 257), "PNG", {}),
        (image, "WEBP", {"lossless": True}),
        (image.convert("RGBA"), "WEBP", {}),
        (image, "GIF", {"save_all": True, "append_images": [image.rotate(180)]}),
        (image.convert("1"), "BMP", {}),
    ]
    files = []
    for picture, kind, options in variants:
        file = io.BytesIO()
        picture.save(file, kind, **options)
        files.append(file.getvalue())
    return files


def mutated(content: bytes, rng: random.Random) -> bytes:
    """Return a file with up to six faults."""
    data = bytearray(content)
    for _ in range(rng.randint(1, 6)):
        place = rng.randrange(len(data) + 1) if rng.random() < 0.6 else rng.randrange(40)
        length = rng.choice((1, 1, 2, 4, 16, 200))
        what = rng.randrange(6)
        if what == 0 and data:
            data[min(place, len(data) - 1)] ^= 1 << rng.randrange(8)
        elif what == 1:
            data[place : place + length] = rng.choice(_INTERESTING)
        elif what == 2:
            del data[place : place + length]
        elif what == 3:
            data[place:place] = rng.randbytes(length)
        elif what == 4:
            data[place:place] = data[place : place + length] * rng.choice((1, 3, 50))
        else:
            del data[max(place, 1) :]
    return bytes(data)


def part(name: str, content: bytes, file: str | None = None, kind: str = "") -> bytes:
    """Return a part of a form."""
    shown = f'Content-Disposition: form-data; name="{name}"'
    shown += "" if file is None else f'; filename="{file}"'
    shown += f"\r\nContent-Type: {kind}" if kind else ""
    return shown.encode("utf-8", "replace") + b"\r\n\r\n" + content


def form(parts: Sequence[bytes]) -> bytes:
    """Return the body of a form."""
    return b"".join(b"--%s\r\n%s\r\n" % (BOUNDARY, p) for p in parts) + b"--%s--\r\n" % BOUNDARY


def head(
    path: str,
    length: int | str | None,
    kind: str | None = None,
    method: str = "POST",
    more: str = "",
) -> bytes:
    """Return the head of a request; the connection ends with the answer."""
    kind = f"multipart/form-data; boundary={BOUNDARY.decode()}" if kind is None else kind
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close"]
    lines += [f"Content-Type: {kind}"] if kind else []
    lines += [] if length is None else [f"Content-Length: {length}"]
    return ("\r\n".join(lines) + "\r\n" + more + "\r\n").encode("latin-1", "replace")


def sound(path: str, file: bytes, fields: Sequence[bytes] = ()) -> list[bytes]:
    """Return the parts of a request that is answered."""
    names = ["a", "b"] if path == "/compare" else [PATHS[path]]
    return [*(part(name, file, "p.jpg", "image/jpeg") for name in names), *fields]


def _picture(rng: random.Random, files: Sequence[bytes]) -> Attempt:
    path = rng.choice(list(PATHS))
    body = form(sound(path, mutated(rng.choice(files), rng)))
    return Attempt("picture", [head(path, len(body)), body])


def _raw(rng: random.Random, files: Sequence[bytes]) -> Attempt:
    body = mutated(rng.choice(files), rng)
    return Attempt("bare picture", [head("/embed", len(body), rng.choice(_KINDS[:3])), body])


def _form(rng: random.Random, files: Sequence[bytes]) -> Attempt:
    path = rng.choice(list(PATHS))
    parts = sound(path, rng.choice(files))
    if rng.random() < 0.3:
        parts *= rng.choice((2, 3, 70, 300))
    body = mutated(form(parts), rng)
    return Attempt("form", [head(path, len(body)), body])


def _field(rng: random.Random, files: Sequence[bytes]) -> Attempt:
    path = rng.choice(("/search", "/enroll"))
    fields = []
    for _ in range(rng.randint(1, 5)):
        value = rng.choice(_VALUES) if rng.random() < 0.8 else rng.choice(_VALUES) * 2
        file = rng.choice((None, None, None, None, value))
        fields.append(part(rng.choice(_FIELDS), value.encode("utf-8", "replace"), file))
    body = form(sound(path, rng.choice(files), fields))
    return Attempt("field", [head(path, len(body)), body])


def _length(rng: random.Random, files: Sequence[bytes]) -> Attempt:
    body = form(sound("/embed", rng.choice(files)))
    wrong = rng.choice(
        (0, 1, len(body) - 7, len(body) + 7, -1, 1 << 62, "abc", "1, 2", "+5", "0x10")
    )
    return Attempt("length", [head("/embed", wrong), body], leave=rng.random() < 0.2, cut=True)


def _chunked(rng: random.Random, files: Sequence[bytes]) -> Attempt:
    body, pieces = form(sound("/embed", rng.choice(files))), []
    while body:
        size = rng.choice((1, 17, 300, 5000))
        stated = size if rng.random() < 0.97 else rng.choice((0, 1 << 40, 3))
        pieces.append(b"%x\r\n%s\r\n" % (min(stated, len(body)), body[:size]))
        body = body[size:]
    more = "Transfer-Encoding: chunked\r\n" + rng.choice(("", "", "Content-Length: 5\r\n"))
    pieces.append(rng.choice((b"0\r\n\r\n", b"0\r\n\r\n", b"zz\r\n", b"")))
    return Attempt("chunked", [head("/embed", None, more=more), b"".join(pieces)], cut=True)


def _header(rng: random.Random, files: Sequence[bytes]) -> Attempt:
    body = form(sound("/embed", rng.choice(files)))
    if rng.random() < 0.5:
        return Attempt("type", [head("/embed", len(body), rng.choice(_KINDS)), body])
    more = rng.choice(
        (
            "Origin: http://evil.example\r\n",
            "Content-Encoding: gzip\r\n",
            "Expect: 100-continue\r\n",
            "X: " + "y" * rng.choice((10, 10_000, 70_000)) + "\r\n",
            "X: y\r\n" * 200,
            "Host: evil.example\r\n",
            "Authorization: Bearer " + "z" * 3000 + "\r\n",
            "\x00: \x01\r\n",
            "Upgrade: websocket\r\nConnection: upgrade\r\n",
            "Range: bytes=0-\r\n",
        )
    )
    return Attempt("header", [head("/embed", len(body), more=more), body])


def _path(rng: random.Random, files: Sequence[bytes]) -> Attempt:
    tail = "".join(
        rng.choice(("%00", "%2f", "..", "/", "a", "%ff", "%", "?", "#", "é", "'")) for _ in "1234"
    )
    start = rng.choice(
        ("/person/", "/image/", "/thumbnail/", "/page/", "/", "//", "http://x/", "*")
    )
    method = rng.choice(("GET", "DELETE", "POST", "HEAD", "PUT", "OPTIONS", "TRACE", "BREW"))
    return Attempt("path", [head(start + tail, None, "", method)])


def _slow(rng: random.Random, files: Sequence[bytes]) -> Attempt:
    body = form(sound("/embed", rng.choice(files)))
    sent = head("/embed", len(body)) + body
    size = max(1, len(sent) // rng.randint(2, 6))
    pieces = [sent[n : n + size] for n in range(0, len(sent), size)]
    gone = rng.random() < 0.6
    return Attempt("slow", pieces[: -1 if gone else None], pause=0.01, leave=gone)


MAKERS: tuple[tuple[Callable[[random.Random, Sequence[bytes]], Attempt], int], ...] = (
    (_picture, 40),
    (_raw, 12),
    (_form, 14),
    (_field, 12),
    (_length, 4),
    (_chunked, 4),
    (_header, 5),
    (_path, 5),
    (_slow, 4),
)
"""What is done, and how often out of 100 requests."""


def attempt(number: int, seed: int, files: Sequence[bytes]) -> Attempt:
    """Return the request of a number: the same for the same seed.

    Args:
        number: From 0 on.
        seed: Of the whole run.
        files: Sound pictures.
    """
    rng = random.Random(seed * 1_000_003 + number)
    makers, weights = zip(*MAKERS, strict=True)
    return rng.choices(makers, weights)[0](rng, files)
