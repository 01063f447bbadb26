"""Small JPEG pictures for reports, with a drawn stand-in where a file can't be read."""

from __future__ import annotations

import base64
import io
from pathlib import Path

from PIL import Image, ImageDraw, ImageOps, UnidentifiedImageError

from mmreid_ext.errors import UserError

_PAPER, _STROKE = (232, 235, 240), (150, 158, 170)


class ThumbnailReader:
    """Read images as small pictures, each file once, and remember which files were missing.

    Args:
        root: Folder that relative paths start from. Defaults to the current folder.
        height: Height of a thumbnail in pixels. Images are never enlarged. Defaults to 128.
        aspect_ratio: Width over height of the stand-in for a missing file. Defaults to 0.5.

    Attributes:
        missing: Paths that couldn't be read, in the order they were asked for.
    """

    def __init__(self, root: str | Path = "", height: int = 128, aspect_ratio: float = 0.5) -> None:
        if height < 8:
            raise UserError(f"height={height} is too small for a thumbnail: use at least 8 pixels.")
        self.root = Path(root)
        self.height = height
        self.aspect_ratio = aspect_ratio
        self.missing: list[str] = []
        self._jpegs: dict[str, str] = {}

    def image(self, path: str) -> Image.Image:
        """The thumbnail of one file as an RGB image."""
        try:
            with Image.open(self.root / path) as image:
                # The camera's orientation tag would be lost with the metadata.
                image = ImageOps.exif_transpose(image).convert("RGB")
        except (OSError, UnidentifiedImageError, ValueError):
            if path not in self.missing:
                self.missing.append(path)
            return self._stand_in()
        if image.height > self.height:
            width = max(1, round(image.width * self.height / image.height))
            image = image.resize((width, self.height), Image.Resampling.LANCZOS)
        return image

    def base64_jpeg(self, path: str) -> str:
        """The thumbnail of one file as base64 text of a JPEG without metadata."""
        if path not in self._jpegs:
            buffer = io.BytesIO()
            self.image(path).save(buffer, "JPEG", quality=82, optimize=True)
            self._jpegs[path] = base64.b64encode(buffer.getvalue()).decode("ascii")
        return self._jpegs[path]

    def _stand_in(self) -> Image.Image:
        width, height = max(4, round(self.height * self.aspect_ratio)), self.height
        image = Image.new("RGB", (width, height), _PAPER)
        draw = ImageDraw.Draw(image)
        draw.line((0, 0, width, height), fill=_STROKE)
        draw.line((0, height, width, 0), fill=_STROKE)
        return image
