"""Say what a gallery holds, and what would be deleted from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mmreid_ext.errors import UserError
from mmreid_ext.moments import iso
from mmreid_ext.shorten import one_line, several, shorten
from mmreid_ext.suggest import did_you_mean

from .moments import shown

if TYPE_CHECKING:
    from mmreid_ext.deploy import Gallery

_SHOWN = 20
"""People and cameras that the screen lists."""


def info_text(gallery: Gallery) -> str:
    """Write rows, people, cameras, model and size of a gallery."""
    about = gallery.info()
    people, cameras = gallery.people(), gallery.cameras()
    lines = [
        f"pictures  {about.rows:,}",
        f"people    {_counted(people)}" + _without(about.unnamed),
        f"cameras   {_counted(cameras)}",
        f"model     {about.model.name}, {about.size} numbers per picture",
    ]
    if about.first is not None:
        lines.append(f"taken     {shown(about.first)} to {shown(about.last)} (UTC)")
    if about.thumbnails:
        lines.append(f"thumbs    {about.thumbnails:,}")
    if about.bytes is not None:
        lines.append(f"size      {about.bytes / 1e6:,.1f} MB")
    return "\n".join(lines)


def info_data(gallery: Gallery) -> dict[str, Any]:
    """Return the same as JSON types, with every name."""
    about = gallery.info()
    return {
        "rows": about.rows,
        "people": [{"identity": n, "count": c} for n, c in gallery.people().items()],
        "cameras": [{"camera": n, "count": c} for n, c in gallery.cameras().items()],
        "unnamed": about.unnamed,
        "first": iso(about.first),
        "last": iso(about.last),
        "thumbnails": about.thumbnails,
        "model": {"name": about.model.name, "identity": about.model.identity},
        "size": about.size,
        "bytes": about.bytes,
    }


def _counted(names: Mapping[str, int]) -> str:
    texts = (f"{one_line(name)} ({count:,})" for name, count in names.items())
    return f"{len(names):,}" + (f": {shorten(texts, shown=_SHOWN)}" if names else "")


def _without(unnamed: int) -> str:
    return f"; {several(unnamed, 'picture')} of nobody known" if unnamed else ""


def to_delete(gallery: Gallery, identity: str | None, ids: Sequence[int] | None) -> str:
    """Say what will be deleted.

    Raises:
        UserError: If nobody has that name.
    """
    if identity is None:
        return several(len(set(ids or ())), "picture")
    people = gallery.people()
    if identity not in people:
        raise UserError(
            f"--identity {one_line(identity)!r}: the gallery has no such person"
            f"{did_you_mean(identity, people)}."
        )
    return f"{several(people[identity], 'picture')} of {one_line(identity)!r}"
