"""Read metadata from an OpenVINO model's XML."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn
from xml.parsers import expat

_ROOT = "net"
_PLACE = (_ROOT, "rt_info", "framework")


def openvino_metadata(file: Path, key: str, longest: int) -> str | None:
    """Return ``rt_info["framework"][key]`` of a model; None if it has none.

    Args:
        file: The ``.xml`` file.
        key: Name of the entry.
        longest: Bytes of the longest entry that is read.

    Raises:
        OSError: If it is no XML of a model, or the entry is longer.
    """
    found: list[str] = []
    path: list[str] = []
    place = [*_PLACE, key]

    def start(name: str, attributes: dict[str, str]) -> None:
        path.append(name)
        if path[0] != _ROOT:
            raise OSError("it is no OpenVINO model: its first element isn't <net>")
        if path == place and "value" in attributes:
            found.append(attributes["value"])

    def end(_name: str) -> None:
        path.pop()

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.StartDoctypeDeclHandler = _refuse
    try:
        with file.open("rb") as opened:
            parser.ParseFile(opened)
    except expat.ExpatError as error:
        raise OSError(f"it is no XML ({error})") from error
    if found and len(found[0]) > longest:
        raise OSError(f"its record is longer than {longest:,} bytes")
    return found[0] if found else None


def _refuse(*_declaration: object) -> NoReturn:
    """Refuse entity declarations: a few lines of them can expand to gigabytes."""
    raise OSError("it is no OpenVINO model: it has a document type declaration")
