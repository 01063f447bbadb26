"""Read tracks in the text format of the MOT challenge: ``frame,id,x,y,w,h,...`` per line."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path

from mmreid_ext.datasets.readers.text_file import read_text
from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.pictures.folder import list_images
from mmreid_ext.shorten import one_line

from .listing import Listing, OwnImage

_FEWEST = 6  # values of a line: frame,id,x,y,w,h
_CONFIDENCE, _CLASS = 6, 7  # places of a line; ground truth marks what to ignore by confidence 0
_PEOPLE = (-1, 1)  # classes: not said, pedestrian
_FRAME_FOLDERS = ("img1", "../img1", "images", "frames", "../images", "../frames", ".")
_LAST_NUMBER = re.compile(r"(\d+)\D*", re.ASCII)


def looks_like_mot(path: Path) -> bool:
    """Return whether the first line of a text file is at least six numbers."""
    if path.suffix.lower() not in (".txt", ".csv"):
        return False
    with open(path, encoding="utf-8-sig", errors="replace") as file:
        values = _values(file.readline())
    return values is not None and len(values) >= _FEWEST


def mot_files_in(folder: Path) -> list[Path]:
    """Return the track files of a sequence, or of all sequences in a folder."""
    sequences = [folder, *sorted(p for p in folder.iterdir() if p.is_dir())]
    return [place for place in (seq / "gt" / "gt.txt" for seq in sequences) if place.is_file()]


def read_mot(place: Path, frames: Path | None = None) -> Listing:
    """Read one track file, or the sequences of a folder; a track is a person.

    Args:
        place: The text file, or a folder with ``gt/gt.txt`` and ``img1``, or one of such folders.
        frames: Folder of the frames. None: ``img1`` beside the file or beside its folder.

    Raises:
        MissingFileError: If there are no tracks or no frames.
        UserError: If a line is not ``frame,id,x,y,w,h,...``.
    """
    files = [place] if place.is_file() else mot_files_in(place)
    if not files:
        raise MissingFileError(
            f"{place} has no gt/gt.txt; give the text file of the tracks itself."
        )
    found = Listing("mot", "tracks in MOT's format, one person per track", is_track=True)
    for path in files:
        sequence = path.parent.parent.name if len(files) > 1 else ""
        _read_file(path, _numbered_frames(path, frames), sequence, found)
    if len(files) > 1:
        found.notes.append(
            f"{len(files)} sequences: tracks of different sequences are different people. Where a "
            "person is in two of them, write a table with one name for both."
        )
    return found


def _read_file(path: Path, frames: dict[int, Path], sequence: str, found: Listing) -> None:
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip():
            continue
        values = _values(line)
        if values is None or len(values) < _FEWEST:
            raise UserError(
                f"{path}, line {number}: {one_line(line.strip())!r} is not frame,id,x,y,w,h,... in "
                "numbers; correct the line, or name the layout by --layout."
            )
        frame, track = int(values[0]), int(values[1])
        if track < 0:
            found.leave_out("detections without a track id", [f"line {number}"])
        elif _is_ignored(values):
            found.leave_out("marked as ignored or no pedestrians", [f"line {number}"])
        elif frame not in frames:
            found.leave_out("no picture of their frame", [f"frame {frame}"])
        else:
            x, y, w, h = values[2:_FEWEST]
            person = f"{sequence}_{track}" if sequence else str(track)
            found.images.append(OwnImage(frames[frame], person, box=(x, y, w, h), frame=frame))


def _values(line: str) -> list[float] | None:
    try:
        values = [float(cell) for cell in line.replace(",", " ").replace(";", " ").split()]
    except ValueError:
        return None
    return values if all(map(math.isfinite, values)) else None


def _is_ignored(values: Sequence[float]) -> bool:
    confident = len(values) <= _CONFIDENCE or values[_CONFIDENCE] != 0
    return not confident or len(values) > _CLASS + 1 and _class_of(values) not in _PEOPLE


def _class_of(values: Sequence[float]) -> float:
    """Ground truth has nine values with a class; trackers write ten that end in -1."""
    return values[_CLASS] if len(values) == _CLASS + 2 else -1


def _numbered_frames(path: Path, frames: Path | None) -> dict[int, Path]:
    """Frames by their number, the last one in their names."""
    places = [frames] if frames is not None else [path.parent / name for name in _FRAME_FOLDERS]
    for place in places:
        found = list_images(place) if place.is_dir() else []
        if found:
            numbers = ((_LAST_NUMBER.search(image.stem[::-1]), image) for image in found)
            return {int(match[1][::-1]): image for match, image in numbers if match}
    raise MissingFileError(
        f"{path}: its frames were not found in {', '.join(str(place) for place in places)}; name "
        "their folder by --frames. A video becomes frames by: ffmpeg -i VIDEO frames/%06d.jpg."
    )
