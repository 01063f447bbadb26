"""A rank describes itself, so that ranks which differ are found before training."""

from __future__ import annotations

import os
import re
import socket
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mmengine
import mmpretrain
import torch
from mmengine.config import Config

import mmreid_ext
from mmreid_ext.checkpoint.resume.run_record import flatten
from mmreid_ext.shorten import one_line, shorten
from mmreid_ext.version import __version__

_OF_THE_MACHINE = frozenset(
    [
        "work_dir",
        "data_root",
        "load_from",
        "local_rank",
        "resume",
        "begun_from",
        "num_workers",
        "log_level",
        "experiment_name",
    ]
)
"""Keys at any depth that may differ: places on a machine, names, and ways of working on it."""

_SHOWN = 3
"""Settings that a message names."""

_PLACE_IN_MEMORY = re.compile(r" at 0x[0-9a-f]+")


def card_of(cfg: Config | None = None) -> dict[str, Any]:
    """Describe this rank: its machine, the versions that it runs and its configuration.

    Args:
        cfg: The configuration; None where ranks share none.

    Returns:
        ``host``, the machine; ``versions`` and ``settings``, both flat; plain values only.
    """
    settings = {} if cfg is None else flatten(_shared(dict(cfg.items())))
    return dict(
        host=machine_name(),
        versions={
            "mmreid_ext": __version__,
            "the code of mmreid_ext (checksum)": code_checksum(),
            "torch": torch.__version__,
            "mmengine": mmengine.__version__,
            "mmpretrain": mmpretrain.__version__,
        },
        settings={key: _PLACE_IN_MEMORY.sub("", str(value)) for key, value in settings.items()},
    )


def machine_name() -> str:
    """Return the name of this machine: its number, if the launcher counts them, and its host's."""
    number, of = os.environ.get("GROUP_RANK", ""), os.environ.get("GROUP_WORLD_SIZE", "1")
    name = socket.gethostname()
    return f"machine {number} ({name})" if number and of not in ("", "1") else name


def difference(mine: Mapping[str, Any], first: Mapping[str, Any]) -> str:
    """Say what this rank has otherwise than rank 0, and how to mend it; empty if all is equal.

    Args:
        mine: Card of this rank.
        first: Card of rank 0.
    """
    absent = "not set"
    for kind, remedy in (
        ("versions", "install the same on every machine"),
        ("settings", "start every machine with the same configuration and options"),
    ):
        here, there = mine[kind], first[kind]
        names = [name for name in sorted({*here, *there}) if here.get(name) != there.get(name)]
        if names:
            values = [
                f"{name} is {one_line(here.get(name, absent))} there, "
                f"{one_line(there.get(name, absent))} on rank 0"
                for name in names
            ]
            return f"{shorten(values, '; ', _SHOWN)}; {remedy}"
    return ""


def code_checksum() -> str:
    """Return a checksum of the package's Python files: two states of one version differ in it."""
    folder = Path(mmreid_ext.__file__).parent
    total = 0
    for path in sorted(folder.rglob("*.py")):
        if ".mim" not in path.parts:
            total = zlib.crc32(path.relative_to(folder).as_posix().encode(), total)
            total = zlib.crc32(path.read_bytes(), total)
    return f"{total:08x}"


def _shared(value: Any) -> Any:
    """Drop what may differ between machines."""
    if isinstance(value, Mapping):
        return {k: _shared(v) for k, v in value.items() if k not in _OF_THE_MACHINE}
    if isinstance(value, (list, tuple)):
        return [_shared(item) for item in value]
    return value
