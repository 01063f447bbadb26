"""Lay out the text of a configuration once, not for every checkpoint.

MMEngine puts ``Config.pretty_text`` into each checkpoint of a run, and formats it each time, which
takes some tenths of a second. The same text has the same layout.
"""

from __future__ import annotations

from functools import wraps
from importlib import import_module
from typing import Any

from mmengine.config import config as mm_config

_MOST = 4
"""Texts that are kept. A run has one, and another one where it validates by itself."""


def lay_out_once() -> None:
    """Let MMEngine remember the last layouts. A second call does nothing."""
    place = layout_module()
    lay_out = place.FormatCode
    if hasattr(lay_out, "__wrapped__"):
        return
    kept: dict[tuple[str, str], Any] = {}

    @wraps(lay_out)
    def lay_out_new_ones(text: str, **options: Any) -> Any:
        key = text, repr(options)
        if key not in kept:
            found = lay_out(text, **options)
            while len(kept) >= _MOST:
                del kept[next(iter(kept))]
            kept[key] = found
        return kept[key]

    place.FormatCode = lay_out_new_ones


def layout_module() -> Any:
    """Return the module where MMEngine finds yapf's function: its own, or yapf's with OneDL's."""
    own = hasattr(mm_config, "FormatCode")
    return mm_config if own else import_module("yapf.yapflib.yapf_api")
