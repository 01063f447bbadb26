"""The process in which parts run. It can be killed, and a broken device takes only it along."""

from __future__ import annotations

import gc
import importlib
import os
import signal
import sys
import threading
import time
import traceback
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any


def work(connection: Connection, settings: dict[str, Any]) -> None:
    """Answer each request with events; the last one of a request is its end.

    Args:
        connection: Receives ``(module, seconds)``, sends dicts with a ``kind``.
        settings: ``device``, ``toy``, ``compiled``, ``folder``, ``threads``.
    """
    os.setpgrp()  # with all that it starts, so that all can be ended together
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _write_to(Path(settings["folder"]) / "gpu_suite.log")
    if settings["device"] == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""  # for us and for all that we start
    from mmreid_ext.errors import UserError

    from .device import Device
    from .job import Job

    device, shared = Device(settings["device"]), dict(settings["shared"])
    try:
        device.require()
    except UserError as error:
        connection.send(dict(kind="refused", text=str(error)))
        return
    device.prepare()
    connection.send(dict(kind="machine", facts=device.describe()))
    while True:
        module, seconds = connection.recv()
        deadline = time.monotonic() + seconds - min(3.0, 0.05 * seconds)  # to end by itself
        job = Job(
            device=device,
            toy=settings["toy"],
            compiled=settings["compiled"],
            deadline=deadline,
            folder=Path(settings["folder"]),
            send=connection.send,
            shared=shared,
        )
        connection.send(_end_of(module, job))
        device.release()


def _end_of(module: str, job: Any) -> dict[str, Any]:
    """Run a part, and say how it ended."""
    from .job import message_of

    print(f"== {module}", flush=True)
    try:
        part = importlib.import_module(module)
        gc.collect()
        gc.freeze()  # what the imports left is never looked at again
        job.send(dict(kind="about", title=part.TITLE, text=part.ABOUT))
        part.run(job)
    except Exception as error:  # noqa: BLE001 (a part's error is a result of the suite)
        text = message_of(error)
        traceback.print_exc()
        return dict(kind="end", state="failed", text=text, shared=job.shared)
    return dict(kind="end", state="done", text="", shared=job.shared)


def _write_to(log: Path) -> None:
    """Send what libraries and tools print to a file."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    sys.stdout.flush()
    for stream in (1, 2):
        os.dup2(descriptor, stream)


def _end_with_parent() -> None:
    """A worker whose parent was killed would hold the device for ever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os.killpg(0, signal.SIGKILL)
