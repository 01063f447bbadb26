"""Limits of the service, in one place."""

from __future__ import annotations

from dataclasses import dataclass, fields

from mmreid_ext.errors import UserError
from mmreid_ext.pictures.thumbnail import THUMBNAIL_SIDE
from mmreid_ext.setting_checks import is_finite, is_whole

_MAY_BE_ZERO = ("thumbnail", "wait")


@dataclass(frozen=True)
class Settings:
    """Limits of the service.

    Attributes:
        max_body: Largest body of a request, in bytes.
        max_memory: Largest sum of the bodies that are held at one time, in bytes.
        max_pixels: Largest width times height of a picture. Decoding and resizing take 15 bytes
            per pixel and thread.
        max_images: Most pictures of one request.
        max_requests: Most requests that are worked on at one time; one more is told to come later.
        max_topk: Most matches of one search.
        max_candidates: Most candidates that a search re-ranks.
        timeout: Seconds that a request may take, from its first byte to its answer.
        queue: Most pictures that are worked on at one time, from before they are decoded.
        batch: Most pictures of one pass through the model.
        wait: Seconds that a picture waits for others to fill its batch. 0: it goes with those that
            came while the model was busy.
        threads: Threads that decode pictures.
        gallery_threads: Threads that ask the gallery.
        thumbnail: Longer side of the thumbnails that enrolled pictures leave, in pixels. 0: none.
    """

    max_body: int = 32 << 20
    max_memory: int = 256 << 20
    max_pixels: int = 25_000_000
    max_images: int = 64
    max_requests: int = 256
    max_topk: int = 1000
    max_candidates: int = 1000
    timeout: float = 30.0
    queue: int = 512
    batch: int = 8
    wait: float = 0.0
    threads: int = 2
    gallery_threads: int = 2
    thumbnail: int = THUMBNAIL_SIDE

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            zero = field.name in _MAY_BE_ZERO
            if isinstance(field.default, float):
                finite = is_finite(value)
                right = finite and (value >= 0 if zero else value > 0)
                needed = "a number of seconds" + ("" if zero else " above 0")
            else:
                right = is_whole(value, 0 if zero else 1)
                needed = f"a whole number of at least {0 if zero else 1}"
            if not right:
                raise UserError(f"Settings: {field.name}={value!r} must be {needed}.")
        if self.max_images > self.queue:
            raise UserError(
                f"Settings: max_images={self.max_images} is more than queue={self.queue}, "
                "so that such a request would always be refused; raise queue."
            )
        if self.max_body > self.max_memory:
            raise UserError(
                f"Settings: max_body={self.max_body} is more than max_memory={self.max_memory}, "
                "so that such a request would always be refused; raise max_memory."
            )
