"""Keep embeddings of people and find the nearest: in one file, or on a Milvus server."""

from .gallery import Gallery
from .records import Added, Filters, GalleryInfo, GalleryModel, Hit, RerankOptions

__all__ = [
    "Added",
    "Filters",
    "Gallery",
    "GalleryInfo",
    "GalleryModel",
    "Hit",
    "RerankOptions",
]
