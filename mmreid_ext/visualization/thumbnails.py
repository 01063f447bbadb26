"""Make small JPEG pictures for reports, with a stand-in for a file that can't be read."""

from __future__ import annotations

import base64
import io
import os
from pathlib import Path

from PIL import Image, ImageDraw, ImageOps, UnidentifiedImageError

from mmreid_ext.errors import UserError
from mmreid_ext.protocols.crop_names import split_crop_name

_PAPER, _STROKE = (232, 235, 240), (150, 158, 170)
_SMALLEST = 8  # pixels; nothing can be seen on less
_WIDEST = 4  # width over height; wider pictures are made smaller
_UNREADABLE = (
    OSError,
    UnidentifiedImageError,
    Image.DecompressionBombError,
    ValueError,
    SyntaxError,  # what Pillow raises for damaged PNG files
)
_QUALITY = 82  # of JPEG: artefacts are hardly visible, at half the bytes of 95


class ThumbnailReader:
    """Read images as small pictures, each file once, and remember which files were missing.

    Args:
        root: Folder that relative paths start from. They can't leave it by ``..``, since a page is
            shown to others and a stranger may have written the paths. Defaults to the current
            folder, without that limit.
        height: Height of a thumbnail in pixels; wide images get less. Images are never enlarged.
            Defaults to 128.
        aspect_ratio: Width over height of the stand-in for a missing file. Defaults to 0.5.

    Attributes:
        missing: Paths that couldn't be read, in the order they were asked for.
    """

    def __init__(
        self, root: str | os.PathLike = "", height: int = 128, aspect_ratio: float = 0.5
    ) -> None:
        if height < _SMALLEST:
            raise UserError(
                f"ThumbnailReader: height={height} must be at least {_SMALLEST} pixels."
            )
        self.root = Path(root)
        self.height = height
        self.aspect_ratio = aspect_ratio
        self.missing: list[str] = []
        self._jpegs: dict[str, str] = {}

    def image(self, path: str) -> Image.Image:
        """Return the thumbnail of one picture, or of a box in it, as an RGB image."""
        file_name, box = split_crop_name(path)
        try:
            if self.root.parts and ".." in Path(file_name).parts:
                raise OSError("outside of the folder")
            with Image.open(self.root / file_name) as file:
                # The camera's orientation tag would be lost with the metadata.
                image = ImageOps.exif_transpose(file).convert("RGB")
            if box is not None:
                left, top, width, height = box
                image = image.crop((left, top, left + width, top + height))
        except _UNREADABLE:
            if path not in self.missing:
                self.missing.append(path)
            return self._stand_in()
        scale = min(self.height / image.height, _WIDEST * self.height / image.width)
        if scale < 1:
            width, height = (max(1, round(scale * side)) for side in image.size)
            image = image.resize((width, height), Image.Resampling.LANCZOS)
        return image

    def base64_jpeg(self, path: str) -> str:
        """Return the thumbnail of one file as base64 text of a JPEG without metadata."""
        if path not in self._jpegs:
            buffer = io.BytesIO()
            self.image(path).save(buffer, "JPEG", quality=_QUALITY, optimize=True)
            self._jpegs[path] = base64.b64encode(buffer.getvalue()).decode("ascii")
        return self._jpegs[path]

    def _stand_in(self) -> Image.Image:
        width, height = max(4, round(self.height * self.aspect_ratio)), self.height
        image = Image.new("RGB", (width, height), _PAPER)
        draw = ImageDraw.Draw(image)
        draw.line((0, 0, width, height), fill=_STROKE)
        draw.line((0, height, width, 0), fill=_STROKE)
        return image
