"""Names that the user gave to identities, beside the numbers that everything is computed with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mmreid_ext.json_values import read_json
from mmreid_ext.shorten import one_line


def pid_names_by_set(dataset_meta: Mapping[str, Any] | None) -> dict[str, dict[int, str]]:
    """Return the names of identities by test set, from the ``metainfo`` of the test images.

    Args:
        dataset_meta: Each entry of ``test_sets`` may have ``pid_names``, ``{pid: name}``; one for
            all sets may stand beside them.

    Returns:
        ``{test set: {pid: name}}``; sets without names are left out.
    """
    meta = dataset_meta or {}
    common = meta.get("pid_names") or {}
    found = {}
    for name, entry in (meta.get("test_sets") or {}).items():
        own = entry.get("pid_names") if isinstance(entry, Mapping) else None
        named = own or common.get(name) or common
        if isinstance(named, Mapping) and named:
            texts = {p: str(n) for p, n in named.items() if not isinstance(n, Mapping)}
            found[str(name)] = {int(pid): text for pid, text in texts.items()}
    return {name: named for name, named in found.items() if named}


def pid_names_to_text(names: Mapping[str, Mapping[int, str]]) -> str:
    """As a note of a features file; empty where there is nothing to note."""
    return json.dumps(names, ensure_ascii=False) if names else ""


def pid_names_from_text(text: str) -> dict[str, dict[int, str]]:
    """Read what :func:`pid_names_to_text` wrote; empty if the text is anything else.

    The names are printed, so they are on one line and printable.
    """
    try:
        found = read_json(text or "{}")
        return {
            str(name): {int(pid): one_line(title) for pid, title in named.items()}
            for name, named in found.items()
        }
    except (ValueError, AttributeError):
        return {}
