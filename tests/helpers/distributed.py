"""Run a function on several gloo processes of this machine.

The processes are forked from a server that has imported the package and nothing else: as fresh as
started ones, without three seconds of imports each. They aren't forked from the tests' own process,
whose threads (autograd's, for instance) do not survive that.
"""

from __future__ import annotations

import os
import tempfile
import time
import traceback
from collections.abc import Callable
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from .paths import ROOT

IMPORTED_ONCE = [
    "mmreid_ext.models",
    "mmreid_ext.datasets",
    "mmreid_ext.evaluation.reid_metric",
    "mmreid_ext.engine",
]


def run_distributed(
    fn: Callable[..., Any], world_size: int, *args: Any, timeout: float = 120
) -> list[Any]:
    """Call ``fn(rank, world_size, *args)`` in ``world_size`` processes joined by gloo.

    Args:
        fn: A top-level function, so that another process can import it. It returns tensors,
            numbers, strings or lists, tuples and dicts of them.
        world_size: Number of processes; 1 runs without a process group, also in a fresh process.
        *args: Picklable arguments.
        timeout: Seconds to wait for all of them.

    Returns:
        The results, by rank.

    Raises:
        RuntimeError: A process raised or died; the message holds its traceback or exit status.
        TimeoutError: Not done in time, for instance because the ranks wait for one another.
    """
    with tempfile.TemporaryDirectory() as folder:
        context = forking_context()
        processes = [
            context.Process(target=_worker, args=(folder, rank, world_size, fn, args), daemon=True)
            for rank in range(world_size)
        ]
        for process in processes:
            process.start()
        deadline = time.monotonic() + timeout
        while any(p.is_alive() for p in processes) and time.monotonic() < deadline:
            if any(Path(folder).glob("error*")):
                break  # the other ranks may wait for that one for ever
            time.sleep(0.02)
        late = [rank for rank, process in enumerate(processes) if process.is_alive()]
        for process in processes:
            process.terminate()
            process.join()
        errors = sorted(Path(folder).glob("error*"))
        if errors:
            raise RuntimeError("\n".join(path.read_text() for path in errors))
        if late:
            raise TimeoutError(f"ranks {late} did not finish within {timeout} s")
        if any(process.exitcode for process in processes):
            codes = [process.exitcode for process in processes]
            raise RuntimeError(f"the ranks ended with {codes}; see what they wrote to stderr")
        return [
            torch.load(Path(folder) / f"result{r}", weights_only=True) for r in range(world_size)
        ]


def forking_context() -> mp.context.BaseContext:
    """Return a context whose processes are forked from one server per process of pytest."""
    context = mp.get_context("forkserver")
    context.set_forkserver_preload(IMPORTED_ONCE)
    # The server inherits the environment; Python before 3.13 doesn't hand it ``sys.path``.
    changes = {
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")]),
        "OMP_NUM_THREADS": "1",
    }
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        forkserver.ensure_running()
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
    return context


def _worker(folder: str, rank: int, world_size: int, fn: Callable, args: tuple) -> None:
    # Many processes on few cores: one thread each, and the same summation order on any machine.
    torch.set_num_threads(1)
    os.environ.update(RANK=str(rank), WORLD_SIZE=str(world_size), LOCAL_RANK=str(rank))
    try:
        if world_size > 1:
            # A file instead of a port: nothing to collide with.
            dist.init_process_group(
                "gloo", init_method=f"file://{folder}/store", rank=rank, world_size=world_size
            )
        result = fn(rank, world_size, *args)
        if world_size > 1:
            dist.barrier()  # a rank that leaves early breaks the connection of one still joining
        torch.save(result, Path(folder) / f"result{rank}")
    except BaseException:
        (Path(folder) / f"error{rank}").write_text(f"rank {rank}:\n{traceback.format_exc()}")
        raise
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()
