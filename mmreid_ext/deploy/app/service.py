"""Do the work of the service: pictures to embeddings, embeddings to matches; knows no HTTP."""

from __future__ import annotations

import asyncio
import functools
import logging
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import anyio
import numpy as np

from mmreid_ext.deploy.gallery.picture_hash import picture_hash
from mmreid_ext.errors import UserError
from mmreid_ext.pictures.thumbnail import jpeg_thumbnail
from mmreid_ext.shorten import one_line
from mmreid_ext.verdicts.thresholds import Threshold

from .batcher import Batcher
from .metrics import Metrics
from .refusals import Refusal, busy
from .requests.bodies import Gate
from .requests.multipart import Upload
from .settings import Settings
from .uploads import cut_out, decode_upload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mmreid_ext.deploy import Embedder, Gallery

LOGGER = logging.getLogger("mmreid_ext.service")
PREFERRED_FPR = 1e-3
"""Rate of false alarms of the line between one person and two, where the model has it."""

_LONGEST_SHAPE = 50
"""Longer side by shorter side: models that keep the shape would blow up a line to gigabytes."""

T = TypeVar("T")
Box = tuple[float, float, float, float]


class Prepared(NamedTuple):
    """A picture, ready for the model.

    Attributes:
        picture: Input of the model, without the batch axis.
        hash: Of the file and the box.
        thumbnail: Small JPEG file, if asked for.
    """

    picture: np.ndarray
    hash: bytes
    thumbnail: bytes | None


class Service:
    """A model, a gallery, and the threads that work for requests.

    Args:
        embedder: The model.
        gallery: The gallery, or None.
        settings: Limits.
        owns_gallery: Whether :meth:`close` closes the gallery, too.
    """

    def __init__(
        self,
        embedder: Embedder,
        gallery: Gallery | None,
        settings: Settings,
        owns_gallery: bool = False,
    ) -> None:
        self.embedder = embedder
        self.settings = settings
        self.thresholds: list[Threshold] = list(embedder.thresholds)
        self.gate = Gate(settings)
        self._gallery = gallery
        self._owns_gallery = owns_gallery
        self._decoders = ThreadPoolExecutor(settings.threads, thread_name_prefix="decoder")
        self._askers = ThreadPoolExecutor(settings.gallery_threads, thread_name_prefix="gallery")
        self.metrics = Metrics(lambda: len(self.batcher))
        self.batcher = Batcher(
            embedder.embed_inputs,
            batch=settings.batch,
            queue=settings.queue,
            wait=settings.wait,
            observe=self.metrics.batch,
        )

    @property
    def gallery(self) -> Gallery:
        """The gallery.

        Raises:
            Refusal: 404 if there is none.
        """
        if self._gallery is None:
            raise Refusal(404, "This service has no gallery; start it with one: --gallery FILE.")
        return self._gallery

    @property
    def writable_gallery(self) -> Gallery:
        """The gallery, if it may be changed.

        Raises:
            Refusal: 403 or 404.
        """
        if not self.can_write and self.has_gallery:
            raise Refusal(403, "This service may read its gallery only.")
        return self.gallery

    @property
    def can_write(self) -> bool:
        """Whether there is a gallery that may be changed."""
        return self._gallery is not None and not self._gallery.read_only

    @property
    def has_gallery(self) -> bool:
        """Whether there is a gallery."""
        return self._gallery is not None

    @property
    def threshold(self) -> Threshold | None:
        """The line between one person and two: at 1 in 1,000, or the nearest known rate."""
        known = [t for t in self.thresholds if t.similarity is not None]
        return min(known, key=lambda t: abs(np.log(t.fpr / PREFERRED_FPR)), default=None)

    async def prepare(
        self, uploads: Sequence[Upload], box: Box | None = None, keep: bool = False
    ) -> list[Prepared]:
        """Decode pictures in threads.

        Args:
            uploads: The files.
            box: Part of each picture, x, y, w, h in pixels.
            keep: Whether they are enrolled, so that they need a thumbnail.

        Raises:
            Refusal: 413, 415 or 422, naming the picture.
        """
        loop = asyncio.get_running_loop()
        look = functools.partial(self._look, box=box, keep=keep)
        if len(uploads) == 1:
            return [await loop.run_in_executor(self._decoders, look, uploads[0])]
        tasks = [loop.run_in_executor(self._decoders, look, upload) for upload in uploads]
        try:
            return list(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()  # of the pictures behind a broken one

    async def embed(
        self, uploads: Sequence[Upload], box: Box | None = None, keep: bool = False
    ) -> tuple[np.ndarray, list[Prepared]]:
        """Return the embeddings of pictures, (N, D), and what else was found out about them."""
        with self.batcher.room(len(uploads)):
            prepared = await self.prepare(uploads, box, keep)
            try:
                rows = await self.batcher.embed([one.picture for one in prepared])
            except UserError as error:  # names the file of the model
                LOGGER.error("The model can't embed a picture: %s", one_line(error, 500))
                raise Refusal(422, "The model finds no embedding for such a picture.") from None
        return rows, prepared

    async def ask(self, call: Callable[..., T], *args: Any, **options: Any) -> T:
        """Call the gallery in a thread.

        Args:
            call: A method of the gallery.
            args: Its arguments.
            options: Its named arguments.

        Raises:
            Refusal: 503 if it can't answer. What the gallery says names files of the server, so it
                is for the log only.
        """
        loop = asyncio.get_running_loop()
        work = functools.partial(call, *args, **options)
        try:
            with _gallery_troubles(), anyio.fail_after(self.settings.timeout):
                return await loop.run_in_executor(self._askers, work)
        except TimeoutError:
            limit = f"{self.settings.timeout:g} seconds"
            raise busy(f"The gallery didn't answer within {limit}; ask again later.") from None

    def warm_up(self) -> None:
        """Do now what engine and gallery put off until they are asked first.

        The model runs once. The gallery loads its index in a thread, since a large one takes
        seconds; a search before that waits for it.
        """
        info = self.embedder.info
        blank = self.embedder.prepare(np.zeros((info.height, info.width, 3), np.uint8))
        self.embedder.embed_inputs(blank[None])
        if self._gallery is not None:
            self._askers.submit(self._refresh, self._gallery)

    @staticmethod
    def _refresh(gallery: Gallery) -> None:
        with (
            suppress(Refusal),
            _gallery_troubles(),
        ):  # the log has it; the next search meets it, too
            gallery.refresh()

    async def close(self) -> None:
        """Finish what was begun, and close what this service opened."""
        await self.batcher.close()
        self._decoders.shutdown(wait=True, cancel_futures=True)
        self._askers.shutdown(wait=True)
        if self._owns_gallery and self._gallery is not None:
            self._gallery.close()

    def _look(self, upload: Upload, box: Box | None, keep: bool) -> Prepared:
        try:
            image = cut_out(decode_upload(upload.content, self.settings.max_pixels), box)
            if max(image.shape[:2]) > _LONGEST_SHAPE * min(image.shape[:2]):
                size = f"{image.shape[1]} x {image.shape[0]} pixels"
                raise Refusal(422, f"{size} are no picture of a person; cut the person out")
            picture = self.embedder.prepare(image)
        except Refusal as refusal:
            raise Refusal(
                refusal.status, f"{upload}: {refusal.sentence}.", refusal.headers
            ) from None
        except UserError as error:
            raise Refusal(422, f"{upload}: {one_line(error, 200)}") from None
        side = self.settings.thumbnail
        small = jpeg_thumbnail(image, side) if keep and side else None
        return Prepared(picture, picture_hash(upload.content, box) if keep else b"", small)


@contextmanager
def _gallery_troubles() -> Iterator[None]:
    try:
        yield
    except (UserError, sqlite3.Error) as error:
        LOGGER.error("The gallery can't answer: %s", one_line(error, 500))
        raise busy(
            "The gallery can't answer at the moment; the log of the service says why."
        ) from error
