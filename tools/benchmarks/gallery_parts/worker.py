"""What processes of the benchmark do; each prints one line of JSON per result."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from mmreid_ext.deploy import Gallery, ModelInfo

from . import data

ROOT = Path(__file__).parents[3]


def model(size: int) -> ModelInfo:
    """Describe a model that isn't there."""
    taken = dict(kind="uint8", height=256, width=128, channel_order="RGB")
    taken |= dict(mean=None, std=None, steps=[])
    embedding = dict(size=size, l2_normalized=True, distance="cosine", flip_test=False)
    made = dict(file="benchmark.pth", weights="0" * 16, sha256=None, config=None)
    record = dict(format=1, input=taken, embedding=embedding, precision="fp32", model=made)
    return ModelInfo.from_record(record | dict(thresholds=[], version="0"), "benchmark")


def start(task: str, **settings: Any) -> subprocess.Popen[str]:
    """Start a process of one thread that does a task of this module."""
    code = "from gallery_parts.worker import work; work()"
    folders = [str(ROOT), str(ROOT / "tools" / "benchmarks"), os.environ.get("PYTHONPATH", "")]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    environment = os.environ | threads | {"PYTHONPATH": os.pathsep.join(filter(None, folders))}
    command = [sys.executable, "-c", code, task, json.dumps(settings)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def result(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Wait for a process and return its last line.

    Raises:
        RuntimeError: If it failed; its own message is on the screen.
    """
    output, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"a process of the benchmark ended with {process.returncode}")
    return json.loads(output.splitlines()[-1])


def work() -> None:
    """Do what the command line says."""
    task, settings = sys.argv[1:]
    TASKS[task](**json.loads(settings))


def tell(**values: Any) -> None:
    """Print a result."""
    print(json.dumps(values), flush=True)


def ingest(place: str, rows: int, size: int, batch: int) -> None:
    """Add all rows and tell the time that adding takes."""
    cpu = wall = 0.0
    with Gallery(place, model=model(size)) as gallery:
        for block in data.blocks(rows, size):
            for first in range(0, len(block.vectors), batch):
                part = slice(first, first + batch)
                columns = {name: values[part] for name, values in block.columns().items()}
                cpu_before, wall_before = time.process_time(), time.perf_counter()
                gallery.add(block.vectors[part], **columns)
                cpu += time.process_time() - cpu_before
                wall += time.perf_counter() - wall_before
    tell(cpu=cpu, wall=wall, batch=batch, peak_mb=peak_mb())


def query(place: str, rows: int, size: int, count: int, topk: int) -> None:
    """Open a gallery, ask it, and tell times, memory, and the rows that were found."""
    asked = data.draw_queries(count, rows, size)
    import faiss  # noqa: F401 - its memory and time aren't the gallery's

    before, cpu, wall = resident_mb(), time.process_time(), time.perf_counter()
    with Gallery(place, model=model(size), threads=1) as gallery:
        gallery.search(asked.vectors[:1], topk=topk)
        opened = dict(cpu=time.process_time() - cpu, wall=time.perf_counter() - wall)
        memory = dict(index_mb=resident_mb() - before, peak_mb=peak_mb() - before, before_mb=before)
        plain = _ask(gallery, asked, topk, filtered=False)
        filtered = _ask(gallery, asked, topk, filtered=True)
        memory["after_queries_mb"] = resident_mb() - before
        memory["peak_with_queries_mb"] = peak_mb() - before
    tell(opened=opened, memory=memory, plain=plain, filtered=filtered)


def _ask(gallery: Gallery, asked: data.Queries, topk: int, filtered: bool) -> dict[str, Any]:
    from mmreid_ext.deploy.gallery import Filters

    cpu, wall, found = [], [], []
    for place in range(len(asked.vectors)):
        options: dict[str, Any] = {}
        if filtered:
            window = dict(since=asked.since[place], until=asked.until[place])
            options = dict(filters=Filters(**window), other_cameras_than=[asked.cameras[place]])
        cpu_before, wall_before = time.process_time(), time.perf_counter()
        [hits] = gallery.search(asked.vectors[place : place + 1], topk=topk, **options)
        cpu.append(time.process_time() - cpu_before)
        wall.append(time.perf_counter() - wall_before)
        found.append([int(Path(hit.source or "").stem) for hit in hits])
    ms = dict(cpu_ms=1e3 * float(np.mean(cpu)), cpu_ms_median=1e3 * float(np.median(cpu)))
    p50, p99 = (1e3 * np.percentile(wall, [50, 99])).tolist()
    return ms | dict(p50_ms=p50, p99_ms=p99, min_ms=1e3 * min(wall), found=found)


def flat(rows: int, size: int, count: int, topk: int) -> None:
    """Ask FAISS alone the same questions: what the search can't be quicker than."""
    import faiss

    asked = data.draw_queries(count, rows, size)
    kinds = faiss.ScalarQuantizer
    index = faiss.IndexScalarQuantizer(size, kinds.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    for block in data.blocks(rows, size):
        index.add(block.vectors)
    cpu = []
    for place in range(count):
        before = time.process_time()
        index.search(asked.vectors[place : place + 1], topk)
        cpu.append(time.process_time() - before)
    tell(cpu_ms=1e3 * float(np.mean(cpu)), cpu_ms_median=1e3 * float(np.median(cpu)))


def write(place: str, name: str, size: int, batch: int, batches: int) -> None:
    """Add small batches, each under a person of its own, and acknowledge each when it is there."""
    vectors = data.draw(0, batch, size).vectors
    with Gallery(place, model=model(size)) as gallery:
        tell(ready=True)
        for number in range(batches):
            person = f"{name}/{number}"
            hashes = [f"{person}/{row}".encode() for row in range(batch)]
            moved = np.roll(vectors, number + 1, axis=1)
            added = gallery.add(moved, hashes=hashes, identities=[person] * batch)
            tell(added=added.added, person=person)


def search(place: str, size: int, seconds: float) -> None:
    """Search again and again while others add, and tell what was seen."""
    asked = data.draw_queries(16, data.BLOCK, size)
    rows, counts = [], 0
    with Gallery(place, model=model(size)) as gallery:
        end = time.monotonic() + seconds
        while time.monotonic() < end or len(rows) < 2:
            for hits in gallery.search(asked.vectors, topk=10):
                counts += 1
                similarities = [hit.similarity for hit in hits]
                if similarities != sorted(similarities, reverse=True):
                    raise RuntimeError("a list is out of order")
            rows.append(gallery.info().rows)
    tell(searches=counts, first=rows[0], last=rows[-1], monotonic=rows == sorted(rows))


def resident_mb() -> float:
    """Memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


def peak_mb() -> float:
    """Most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


TASKS = dict(ingest=ingest, query=query, flat=flat, write=write, search=search)
