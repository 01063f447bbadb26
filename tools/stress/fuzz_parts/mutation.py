"""Damage files: bytes, values of JSON, and names."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

WORDS = (
    *(
        b"\x00",
        b"\xff",
        b"\xff\xff\xff\xff",
        b"\x7f\xff\xff\xff",
        b"\x80\x00\x00\x00",
        b"\r",
        b"\n",
    ),
    *(
        b'"',
        b"'",
        b",",
        b";",
        b"\t",
        b"{",
        b"}",
        b"[",
        b"]",
        b":",
        b"\\",
        b"&a ",
        b"*a",
        b"!!",
        b"- ",
    ),
    *(b"\x1b[31m", "\u202e".encode(), "日本".encode(), "é".encode("latin-1"), b"\xef\xbb\xbf"),
    *(
        b"-1",
        b"0",
        b"9" * 19,
        b"9" * 400,
        b"9" * 5000,
        b"1e309",
        b"NaN",
        b"Infinity",
        b"nan",
        b"1.5",
    ),
    *(b"null", b"true", b"../..", b"/etc/passwd", b"a" * 300, b"'" * 3, b" " * 50, b"[" * 3000),
    *(b"!!python/object/apply:os.system", b"_base_", b"<<: *a\n", b"\xff\xfe", b"\xd8\x00"),
)
"""Bytes that have broken a parser somewhere."""

VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 10**400, -(2**63) - 1, 1.5, -0.0, 1e308),
    *("", "0", "x", "a" * 400, "\x1b[31m", "\u202e", "../x", "é", "9" * 30, [], {}, [[]], [None]),
    *({"a": 1}, [1, 2], [0, 1, 2, 3], ["x"], {"type": "camera"}, [[1, 2], [3, 4]]),
)
"""Values of JSON that a reader may not expect."""


def mutated(rng: np.random.Generator, content: bytes, words: Sequence[bytes] = WORDS) -> bytes:
    """Damage bytes in one to six places."""
    found = bytearray(content)
    for _ in range(int(rng.integers(1, 7))):
        size = len(found)
        at = int(rng.integers(0, size + 1))
        other = int(rng.integers(0, size + 1))
        length = int(rng.integers(1, max(2, min(size, 64))))
        match int(rng.integers(0, 9)):
            case 0 if at < size:
                found[at] ^= 1 << int(rng.integers(0, 8))
            case 1 if at < size:
                found[at] = int(rng.integers(0, 256))
            case 2:
                del found[at : at + length]
            case 3:
                found[at:at] = found[other : other + length]
            case 4:
                del found[at:]
            case 5:
                word = words[int(rng.integers(0, len(words)))]
                found[at : at + len(word)] = word
            case 6:
                found[at:at] = words[int(rng.integers(0, len(words)))]
            case 7:
                found[at:at] = rng.bytes(length)
            case 8 if rng.random() < 0.1:
                found[at:at] = bytes(found[at : at + 4] or b"0") * 3000
    return bytes(found)


def mutated_value(rng: np.random.Generator, value: Any) -> Any:
    """Replace, remove, repeat or rename parts of a JSON document."""
    found = copy.deepcopy(value)
    for _ in range(int(rng.integers(1, 4))):
        holder: Any = found
        while True:
            keys = list(holder) if isinstance(holder, dict) else range(len(holder))
            if not len(keys):
                break
            key = keys[int(rng.integers(0, len(keys)))]
            inner = holder[key]
            if isinstance(inner, (dict, list)) and inner and rng.random() < 0.8:
                holder = inner
                continue
            _change(rng, holder, key)
            break
    return found


def _change(rng: np.random.Generator, holder: Any, key: Any) -> None:
    choice = rng.random()
    if choice < 0.65:
        holder[key] = copy.deepcopy(VALUES[int(rng.integers(0, len(VALUES)))])
    elif choice < 0.85:
        del holder[key]
    elif isinstance(holder, dict):
        holder[str(key) + "x"] = holder.pop(key)
    else:
        holder.append(copy.deepcopy(holder[key]))


def mutated_name(rng: np.random.Generator, name: str) -> str:
    """Damage a file name; it can still be that of a file."""
    parts = (
        "_",
        "c",
        "s",
        "-",
        "-1",
        "0",
        "9" * 30,
        "٣",
        "²",
        "é",
        "\x1b",
        " ",
        "\n",
        "\\",
        "..",
        "",
    )
    letters = list(name)
    for _ in range(int(rng.integers(1, 4))):
        at = int(rng.integers(0, len(letters) + 1))
        if rng.random() < 0.4:
            del letters[at : at + int(rng.integers(1, 4))]
        else:
            letters[at:at] = [parts[int(rng.integers(0, len(parts)))]]
    found = "".join(letters).replace("/", "").replace("\0", "")[:80]
    return found if found not in ("", ".", "..") else "x.jpg"
