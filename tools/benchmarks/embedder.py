"""An exported model by ``Embedder`` against the bare call of its engine: CPU ms per image.

Three candidates run in turn, one thread each: the engine on inputs that are ready; decoding,
resizing, normalising and the engine, written out below, one picture after another, in batches; and
``Embedder`` on the same files. The last two do the same work. ``import`` is a fresh process each.

Example::

    python tools/benchmarks/embedder.py --model model.onnx --images PHOTOS
    python tools/benchmarks/embedder.py --model model.xml --images PHOTOS --batch-size 1
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from timing import CLOCKS

from mmreid_ext.cli.errors import run_tool
from mmreid_ext.deploy import Embedder
from mmreid_ext.errors import UserError
from mmreid_ext.pictures.folder import image_paths

IMPORTS = {
    "interpreter": "pass",
    "NumPy, OpenCV, Pillow": "import numpy, cv2, PIL.Image",
    "mmreid_ext.deploy.Embedder": "from mmreid_ext.deploy import Embedder",
}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", required=True, help="exported model: .onnx or .xml")
    parser.add_argument("--images", required=True, type=Path, help="a folder of pictures")
    parser.add_argument("--count", type=int, default=64, help="pictures (default: 64)")
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--clock", choices=CLOCKS, default="cpu", help="wall: on a quiet machine")
    return parser.parse_args()


def by_hand(embedder: Embedder, files: list[str], batch_size: int) -> np.ndarray:
    """Do what ``Embedder`` does, without its checks."""
    taken = embedder.info.input
    step = taken.steps[-1]
    if taken.kind != "normalized" or len(taken.steps) != 1 or step.backend != "cv2":
        raise UserError("--model: export it with --input normalized, and one resize by cv2.")
    filters = {"bilinear": cv2.INTER_LINEAR, "bicubic": cv2.INTER_CUBIC, "area": cv2.INTER_AREA}
    mean, std = (np.asarray(v, np.float32) for v in (taken.mean or [0], taken.std or [1]))
    rows = []
    for start in range(0, len(files), batch_size):
        batch = []
        for file in files[start : start + batch_size]:
            floats = cv2.imread(file).astype(np.float32)
            resized = cv2.resize(
                floats, (taken.width, taken.height), interpolation=filters[step.interpolation]
            )
            ordered = resized[:, :, ::-1] if taken.channel_order == "RGB" else resized
            batch.append(((ordered - mean) / std).transpose(2, 0, 1))
        rows.append(embedder._engine.run(np.stack(batch)))
    return np.concatenate(rows)


def candidates(args: argparse.Namespace) -> dict[str, Callable[[], np.ndarray]]:
    files = image_paths(args.images)[: args.count]
    if not files:
        raise UserError(f"--images {args.images}: no picture.")
    embedder = Embedder(args.model, threads=1, batch_size=args.batch_size)
    inputs = np.stack([embedder.prepare(file) for file in files])

    def engine() -> np.ndarray:
        starts = range(0, len(inputs), args.batch_size)
        return np.concatenate(
            [embedder._engine.run(inputs[s : s + args.batch_size]) for s in starts]
        )

    return {
        "engine alone": engine,
        "by hand, from files": lambda: by_hand(embedder, files, args.batch_size),
        "Embedder, from files": lambda: embedder(files),
        "Embedder, inputs ready": lambda: embedder.embed_inputs(inputs),
    }


def unit(rows: np.ndarray) -> np.ndarray:
    """Bring rows to unit length, which somebody else's model may not give."""
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def measure_imports(repeats: int) -> None:
    print("\nimport, CPU s of a fresh process")
    for name, code in IMPORTS.items():
        times = []
        for _ in range(repeats):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([sys.executable, "-c", code], check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        print(f"{name:<28}{min(times):8.2f}")


def run(args: argparse.Namespace) -> None:
    cv2.setNumThreads(1)
    found = candidates(args)
    results = {name: call() for name, call in found.items()}
    times: dict[str, list[float]] = {name: [] for name in found}
    clock = CLOCKS[args.clock]
    for _ in range(args.repeats):
        for name, call in found.items():
            begun = clock()
            call()
            times[name].append(clock() - begun)
    count = len(results["engine alone"])
    bare = min(times["by hand, from files"])
    print(
        f"{count} pictures, batches of {args.batch_size}, {args.clock}: the shortest of "
        f"{args.repeats}\n\n{'':<28}{'ms/image':>9}{'to by hand':>12}{'difference':>12}"
    )
    for name, seconds in times.items():
        away = np.abs(unit(results[name]) - unit(results["engine alone"])).max()
        print(f"{name:<28}{1e3 * min(seconds) / count:9.2f}{min(seconds) / bare:12.2f}{away:12.1e}")
    measure_imports(3)


def main() -> None:
    run_tool(lambda: run(parse_args()))


if __name__ == "__main__":
    main()
