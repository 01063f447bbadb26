"""Look for numbers in arrays of text that are no letters."""

from __future__ import annotations

import numpy as np

_AT_ONCE = 2**20
"""Letters that are looked at together."""


def impossible_text(texts: np.ndarray) -> int | None:
    """Return the first place whose text can't be written anywhere, None if all can.

    A file may hold any number where a letter should be: NumPy fails when it reads one beyond
    Unicode, and nothing encodes half a surrogate. Those that Python puts for bytes of file names
    (U+DC80 to U+DCFF) are letters here.

    Args:
        texts: Shape (N,), of text; bytes have no such numbers.
    """
    if texts.dtype.kind != "U" or not texts.size or not texts.dtype.itemsize:
        return None
    if texts.strides == (0,):  # one text for all
        texts = texts[:1]
    width = texts.dtype.itemsize // 4
    step = max(_AT_ONCE // width, 1)
    for start in range(0, len(texts), step):
        part = np.ascontiguousarray(texts[start : start + step])
        codes = part.view(part.dtype.str[0] + "u4").reshape(-1, width)
        half = ((codes >= 0xD800) & (codes < 0xDC80)) | ((codes > 0xDCFF) & (codes < 0xE000))
        bad = (half | (codes > 0x10FFFF)).any(axis=1)
        if bad.any():
            return start + int(bad.argmax())
    return None
