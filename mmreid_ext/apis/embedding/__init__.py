"""Embed folders of any size: shared out over ranks, continued after an interruption."""

from .embed_images import embed_images
from .image_list import ImageList, list_of

__all__ = ["ImageList", "embed_images", "list_of"]
