"""Read one list in this process: prints CPU seconds and bytes as JSON. See ``records.py``."""

from __future__ import annotations

import gc
import hashlib
import json
import re
import sys
import time
from itertools import islice
from pathlib import Path
from typing import Any

BATCH, BATCHES = 64, 16


def memory(process: int | str, name: str, file: str = "status") -> int:
    """Return an entry of the system's report on a process, in bytes."""
    text = Path(f"/proc/{process}/{file}").read_text(encoding="ascii")
    found = re.search(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE)
    return 1024 * int(found[1]) if found else 0


def build(kind: str, folder: str) -> Any:
    """Build the data set and look at it, as tools/train.py does."""
    from mmreid_ext.datasets.checks.quick_check import quick_check
    from mmreid_ext.registry import DATASETS

    options = dict(type="mmreid_ext.Market1501", data_root=folder)
    if kind == "csv":
        options = dict(type="mmreid_ext.CSVDataset", csv_file="annotations.csv", data_root=folder)
    dataset = DATASETS.build(options)
    quick_check(dataset, [])
    return dataset


def main() -> None:
    """Measure the list that the arguments name: kind, folder, number of workers."""
    kind, folder, workers = sys.argv[1], sys.argv[2], int(sys.argv[3])
    from torch.utils.data import DataLoader

    import mmreid_ext.datasets  # noqa: F401  # registers
    from mmreid_ext.datasets.checks import quick_check  # noqa: F401
    from mmreid_ext.datasets.samplers import PKSampler

    gc.collect()
    imports, before = time.process_time(), memory("self", "VmRSS")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # forgets the peak so far
    dataset = build(kind, folder)
    sampler = PKSampler(dataset, BATCH, seed=0)
    draws = list(islice(sampler, BATCH * BATCHES))
    cpu, peak = time.process_time() - imports, memory("self", "VmHWM") - before
    gc.collect()
    kept = memory("self", "VmRSS") - before
    digest = hashlib.sha256(repr(draws).encode())
    drawn = repr([sorted(dataset[int(draw)].items()) for draw in draws[:BATCH]])
    digest.update(drawn.replace(folder, "").encode())
    loader = DataLoader(dataset, BATCH, sampler=sampler, num_workers=workers, collate_fn=list)
    batches = iter(loader)
    for _ in range(BATCHES):
        next(batches)
    own = [
        memory(worker.pid, "Private_Dirty", "smaps_rollup")
        for worker in getattr(batches, "_workers", [])
    ]
    found = dict(cpu=cpu, imports=imports, kept=kept, peak=peak, worker=max(own, default=0))
    print(json.dumps({**found, "digest": digest.hexdigest()[:16]}))
