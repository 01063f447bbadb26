"""Write beside the training: one job at a time, and no error is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Writer:
    """Run jobs in a thread, one after the other.

    A job that fails is told by the next :meth:`wait`. A process that ends waits
    for the job under way.
    """

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    @property
    def busy(self) -> bool:
        """Whether a job is under way."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, job: Callable[[], None]) -> None:
        """Begin a job. One that is under way is waited for.

        Raises:
            Exception: What a job before it raised; this one isn't begun then.
        """
        self.wait()
        self._thread = threading.Thread(target=self._run, args=(job,), name="checkpoint-writer")
        self._thread.start()

    def run_here(self, job: Callable[[], None]) -> None:
        """Run a job in this thread; :meth:`wait` tells its error, too."""
        self.wait()
        self._run(job)

    def wait(self) -> None:
        """Wait for the job under way.

        Raises:
            Exception: What it raised; once.
        """
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        error, self._error = self._error, None
        if error is not None:
            raise error

    def _run(self, job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException as error:  # noqa: BLE001 (the other thread raises it)
            self._error = error
