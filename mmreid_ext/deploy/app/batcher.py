"""Collect the pictures of many requests into batches of the model."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from .refusals import Refusal, busy

Run = Callable[[np.ndarray], np.ndarray]
"""Prepared inputs (N, ...) to embeddings (N, D)."""


class _Waiting(NamedTuple):
    picture: np.ndarray
    answer: asyncio.Future[np.ndarray]


class Batcher:
    """Runs a model on what several requests ask for at one time.

    Pictures wait in one queue. While the model works on a batch, the next one gathers; so batches
    grow with the load, and a lone picture doesn't wait. One thread runs the model. Requests that
    were cancelled are passed over. If a batch fails, its pictures are run one by one, so that only
    the request of the faulty picture fails.

    Args:
        run: The model; called in a thread, one call at a time.
        batch: Most pictures of one call.
        queue: Most pictures that have room at one time, those included that are still decoded.
        wait: Seconds that a picture waits for others to fill its batch.
        observe: Told the size of each batch, in the thread of the event loop.
    """

    def __init__(
        self,
        run: Run,
        batch: int = 8,
        queue: int = 512,
        wait: float = 0.0,
        observe: Callable[[int], None] | None = None,
    ) -> None:
        self.run = run
        self.batch = batch
        self.queue = queue
        self.wait = wait
        self.observe = observe
        self._waiting: deque[_Waiting] = deque()
        self._filled: asyncio.Event | None = None
        self._worker: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="model")
        self._taken = 0
        self.closed = False

    def __len__(self) -> int:
        """Return how many pictures wait for the model."""
        return len(self._waiting)

    @contextmanager
    def room(self, count: int) -> Iterator[None]:
        """Keep room for pictures from before they are decoded until they are answered.

        Prepared pictures are many times as large as the files that hold them, so the room is taken
        first.

        Args:
            count: Number of pictures. All get room, or none.

        Raises:
            Refusal: 503 if there is no room, or the service ends.
        """
        if self.closed:
            raise busy("The service is stopping; ask again in a moment.")
        if self._taken + count > self.queue:
            raise busy(
                f"{self._taken} pictures are being worked on and there is room for {self.queue}; "
                "ask again in a moment."
            )
        self._taken += count
        try:
            yield
        finally:
            self._taken -= count

    async def embed(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        """Return the embeddings of prepared pictures, (N, D), in their order.

        Args:
            pictures: Prepared inputs without the batch axis, inside their :meth:`room`.
        """
        loop = asyncio.get_running_loop()
        if self._worker is None or self._filled is None:
            self._filled = asyncio.Event()
            self._worker = loop.create_task(self._work(self._filled))
        answers = [loop.create_future() for _ in pictures]
        self._waiting.extend(map(_Waiting, pictures, answers))
        self._filled.set()
        try:
            if len(answers) == 1:
                return (await answers[0])[None]
            return np.stack(await asyncio.gather(*answers))
        finally:
            for answer in answers:  # of a cancelled request, or beside one that failed
                if not answer.done():
                    answer.cancel()
                elif not answer.cancelled():
                    answer.exception()  # fetched, so that asyncio doesn't report it

    async def close(self) -> None:
        """Finish what waits, then stop; later requests are refused."""
        self.closed = True
        if self._worker is not None and self._filled is not None:
            self._filled.set()
            await self._worker
            self._worker = None
        self._thread.shutdown(wait=True)

    async def _work(self, filled: asyncio.Event) -> None:
        while True:
            if not self._waiting:
                if self.closed:
                    return
                filled.clear()
                await filled.wait()
                continue
            if self.wait and len(self._waiting) < self.batch and not self.closed:
                await asyncio.sleep(self.wait)
            items = self._take()
            if items:
                if self.observe is not None:
                    self.observe(len(items))
                await self._answer(items)

    def _take(self) -> list[_Waiting]:
        items: list[_Waiting] = []
        while self._waiting and len(items) < self.batch:
            item = self._waiting.popleft()
            if not item.answer.done():
                items.append(item)
        return items

    async def _answer(self, items: Sequence[_Waiting]) -> None:
        loop = asyncio.get_running_loop()
        stack = [item.picture for item in items]
        try:
            found = await loop.run_in_executor(self._thread, self._embed, stack)
        # Whatever it is, it belongs to the requests, and the worker goes on.
        except Exception as error:  # noqa: BLE001
            if len(items) == 1:
                _set(items[0], error)
                return
            for item in items:
                if not item.answer.done():
                    await self._answer([item])
            return
        for item, row in zip(items, found, strict=True):
            _set(item, row)

    def _embed(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        found = self.run(np.stack(pictures))
        if len(found) != len(pictures):
            raise RuntimeError(f"The model gave {len(found)} rows for {len(pictures)} pictures.")
        if not np.isfinite(found).all():
            raise Refusal(422, "The model finds no finite embedding for this picture.")
        return found


def _set(item: _Waiting, result: np.ndarray | Exception) -> None:
    if item.answer.done():
        return
    if isinstance(result, Exception):
        item.answer.set_exception(result)
    else:
        item.answer.set_result(result)
