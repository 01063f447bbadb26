"""Read annotations in COCO's JSON format whose boxes say who is in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.json_values import read_json
from mmreid_ext.shorten import brief, one_line

from .listing import Box, Listing, OwnImage

_IDENTITIES = ("person_id", "identity", "identity_id", "pid", "track_id", "instance_id")
_CAMERAS = ("camera", "camera_id", "camid", "cam")
_PICTURE_FOLDERS = (".", "images", "../images", "img1", "../img1", "frames", "../frames")
_BOX_VALUES = 4


def read_coco(path: Path, pictures: Path | None = None) -> Listing:
    """Read boxes and identities.

    The identity is a value of the annotation, or of its ``attributes``; else, with several
    categories, the name of its category.

    Args:
        path: The JSON file.
        pictures: Folder of the pictures. None: that of the file, or ``images`` near it.

    Raises:
        UserError: If it isn't COCO's format, or nothing says who is who.
        MissingFileError: If the pictures are not found.
    """
    document = _load(path)
    images = {image["id"]: image for image in document["images"]}
    identity = _identity_key(document["annotations"])
    names = {c.get("id"): str(c.get("name")) for c in document.get("categories") or []}
    if identity is None and len(names) < 2:
        raise UserError(
            f"{path}: no annotation says who is in its box; none of {', '.join(_IDENTITIES)} is in "
            "them or in their attributes. Add one: a model learns from who is who."
        )
    by = f"{identity!r}" if identity else "the category's name"
    found = Listing("coco", f"COCO annotations, the person is {by}")
    folder = _folder(path, pictures, [str(image["file_name"]) for image in images.values()])
    for note in document["annotations"]:
        person = names.get(note.get("category_id")) if identity is None else _value(note, identity)
        image, box = images.get(note.get("image_id")), _box(note)
        where = f"annotation {note.get('id', '?')}"
        if person in (None, "") or image is None or box is None:
            found.leave_out("annotations without a person, an image or a box", [where])
            continue
        camera = next((image[key] for key in _CAMERAS if image.get(key) not in (None, "")), "")
        found.images.append(
            OwnImage(folder / str(image["file_name"]), str(person), str(camera), box=box)
        )
    return found


def _load(path: Path) -> dict[str, Any]:
    try:
        document = read_json(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:  # of JSON or of UTF-8
        raise UserError(
            f"{path} is no JSON file ({one_line(error)}); save it as COCO JSON again."
        ) from None
    parts = document if isinstance(document, dict) else {}
    images, notes = parts.get("images"), parts.get("annotations")
    if not (_all_have(images, "id", "file_name") and _all_have(notes, "image_id")):
        raise UserError(
            f"{path} is not in COCO's format: the lists `images` (with id and file_name) and "
            "`annotations` (with image_id and bbox) are needed. Export it as COCO, or as a table."
        )
    return parts


def _all_have(entries: Any, *keys: str) -> bool:
    return isinstance(entries, list) and all(
        isinstance(entry, dict) and set(keys) <= set(entry) for entry in entries
    )


def _identity_key(annotations: Sequence[Mapping[str, Any]]) -> str | None:
    return next(
        (key for key in _IDENTITIES if any(_value(note, key) is not None for note in annotations)),
        None,
    )


def _value(note: Mapping[str, Any], key: str) -> Any:
    attributes = note.get("attributes")
    inner = attributes.get(key) if isinstance(attributes, Mapping) else None
    return note.get(key, inner)


def _box(note: Mapping[str, Any]) -> Box | None:
    box = note.get("bbox")
    if not isinstance(box, list) or len(box) != _BOX_VALUES:
        return None
    try:
        x, y, w, h = map(float, box)
    except (TypeError, ValueError, OverflowError):  # a long integer, too
        return None
    return x, y, w, h


def _folder(path: Path, pictures: Path | None, names: Sequence[str]) -> Path:
    """The folder in which the first picture is."""
    places = [pictures] if pictures else [path.parent / name for name in _PICTURE_FOLDERS]
    for place in places:
        if any((place / name).is_file() for name in names[:1]):
            return place
    first = names[0] if names else "no picture"
    raise MissingFileError(
        f"{path}: {brief(first)} was not found in {', '.join(str(place) for place in places)}; "
        "name the folder of the pictures by --frames."
    )
