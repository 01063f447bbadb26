"""Name a part of a picture by a media fragment: ``frames/000012.jpg#xywh=10,20,32,80``."""

from __future__ import annotations

import re

_FRAGMENT = re.compile(r"#xywh=(\d+),(\d+),(\d+),(\d+)$", re.ASCII)


def crop_name(path: str, box: tuple[int, int, int, int]) -> str:
    """Write the name of a crop.

    Args:
        path: The picture.
        box: Left, top, width, height in whole pixels.
    """
    return f"{path}#xywh={','.join(map(str, box))}"


def split_crop_name(name: str) -> tuple[str, tuple[int, int, int, int] | None]:
    """Return the picture that a name is about, and the box in it; None: all of the picture."""
    found = _FRAGMENT.search(name)
    if found is None:
        return name, None
    x, y, w, h = map(int, found.groups())
    return name[: found.start()], (x, y, w, h)
