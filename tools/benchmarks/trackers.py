"""Compare what tracker packages compute with our exported files with what we compute ourselves.

python tools/benchmarks/trackers.py CHECKPOINT --envs FOLDER

Every package gets an environment of its own in FOLDER, since their pins contradict ours and one of
them installs packages while it runs. Only their public entry points are called. The environments
stay there for the next run; delete FOLDER afterwards.
"""

from __future__ import annotations

import argparse
import subprocess
import sysconfig
import tempfile
import venv
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mmreid_ext.cli.errors import run_tool
from mmreid_ext.errors import UserError

if TYPE_CHECKING:  # heavy; --help stays quick
    from mmreid_ext.apis.embedder import Embedder

INSTALLS = {
    "boxmot": [["boxmot==25.0.0"]],
    "ultralytics": [["ultralytics==8.4.190", "lap", "onnxruntime"]],
    "strongsort": [
        ["--no-deps", "strongsort==0.2.1", "yolov5==7.0.14", "gdown==4.5.3", "easydict"],
        ["ultralytics==8.4.190", "six", "requests", "beautifulsoup4", "tqdm", "seaborn", "pandas"],
        ["filelock", "scipy", "onnxruntime"],
    ],
    "deepsort": [["deep-sort-realtime==1.3.2", "opencv-python", "setuptools<81"]],
}
"""Calls of pip, one after another."""

FILES = [
    ("boxmot", "onnx"),
    ("boxmot", "openvino"),
    ("boxmot", "torchscript"),
    ("ultralytics", "onnx"),
    ("strongsort", "onnx"),
    ("strongsort", "torchscript"),
    ("deepsort", "onnx"),
]

_START = """
import sys, numpy as np
file, folder = sys.argv[1:]
frame, boxes = (np.load(f"{folder}/{name}.npy") for name in ("frame", "boxes"))
"""
CALLS = {
    "boxmot": """
from boxmot.reid.core.runtime import ReID
found = ReID(file, device="cpu")(frame, boxes=boxes)
""",
    "ultralytics": """
from ultralytics.trackers.utils.reid import ReID
middles = np.concatenate([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]], 1)
found = ReID(file, device="cpu")(frame, middles)
""",
    "strongsort": """
import logging, pathlib, torch
from strongsort import StrongSORT, reid_multibackend
reid_multibackend.LOGGER = logging.getLogger("strongsort")
tracker = StrongSORT(pathlib.Path(file), torch.device("cpu"), fp16=False)
rest = np.tile([0.9, 0.0], (len(boxes), 1))
tracker.update(torch.tensor(np.concatenate([boxes, rest], 1)), frame)
found = [np.asarray(track.features[0]) for track in tracker.tracker.tracks]
""",
    "deepsort": """
from deep_sort_realtime.deepsort_tracker import DeepSort
tracker = DeepSort(embedder=None)
seen = [([*box[:2], *(box[2:] - box[:2])], 0.9, "person") for box in boxes]
tracks = tracker.update_tracks(seen, embeds=list(np.load(f"{folder}/embeddings.npy")))
found = [track.get_feature() for track in tracks]
""",
}
"""What runs in the environment of each package."""

_END = """
np.save(f"{folder}/found.npy", np.stack(found))
"""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoint", help="a trained model, of 256 x 128 for StrongSORT")
    parser.add_argument("--envs", type=Path, required=True, help="folder for the environments")
    parser.add_argument("--only", nargs="+", choices=tuple(INSTALLS), help="some of the packages")
    parser.add_argument(
        "--share-packages",
        action="store_true",
        help="let the environments find what is installed here: saves 5 GB of PyTorch each",
    )
    return parser.parse_args()


def make_environment(name: str, args: argparse.Namespace) -> Path:
    """Make the environment of a package, unless it is there; return its interpreter."""
    folder = args.envs.absolute() / name
    python = folder / "bin" / "python"
    stamp = folder / "complete"
    if stamp.exists():
        return python
    print(f"== installing {name} in {folder}", flush=True)
    venv.create(folder, clear=True, with_pip=True)
    if args.share_packages:
        (place,) = folder.glob("lib/python*/site-packages")
        (place / "zz_shared.pth").write_text(sysconfig.get_path("purelib") + "\n")
    for words in INSTALLS[name]:
        call = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *words]
        if subprocess.run(call).returncode:
            raise UserError(f"{name}: pip install {' '.join(words)} failed; see above.")
    stamp.touch()
    return python


def run_package(python: Path, name: str, file: Path, folder: Path) -> np.ndarray:
    """Return the embeddings (N, D) that a package computes, as unit vectors."""
    code = _START + CALLS[name] + _END
    done = subprocess.run(
        [python, "-c", code, str(file.absolute()), str(folder)],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise UserError(f"{name} can't use {file.name}:\n{done.stderr[-2000:]}")
    found = np.load(folder / "found.npy").astype(np.float64)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def compare(name: str, kind: str, args: argparse.Namespace, embedder: Embedder) -> str:
    """Export for a package, run it, and return a line of the table."""
    from mmreid_ext.datasets.synthetic import drawn_frames
    from mmreid_ext.deploy.model_info import read_model_info
    from mmreid_ext.export import ExportPlan, export_model
    from mmreid_ext.export.engines import ENGINES, open_file
    from mmreid_ext.export.trackers import TRACKERS, fit_plan
    from mmreid_ext.export.trackers.cost import own_input
    from mmreid_ext.export.trackers.reference import embed_pixels
    from mmreid_ext.export.trackers.views import tracker_pixels

    python = make_environment(name, args)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        plan = fit_plan(name, ExportPlan(folder / "file"), [kind], None)
        (written,) = export_model(None, args.checkpoint, plan, say=lambda line: None)
        info = read_model_info(written.file)
        frame, boxes = max(drawn_frames(4), key=lambda one: len(one[1]))
        own = open_file(ENGINES[kind][0], written.file)(own_input(info, frame, boxes))
        for array, values in (("frame", frame), ("boxes", boxes), ("embeddings", own)):
            np.save(folder / f"{array}.npy", values)
        theirs = run_package(python, name, written.file, folder)
        wanted = own
        if TRACKERS[name].cuts:
            pixels = tracker_pixels(name, frame, boxes, (info.height, info.width))
            wanted = embed_pixels(embedder, pixels)
    cosine = (theirs * own).sum(1)
    difference = float(np.abs(theirs - wanted).max())
    return (
        f"{TRACKERS[name].package:26} {kind:12} {difference:20.1e} {cosine.mean():16.5f} "
        f"{cosine.min():15.5f}"
    )


def run(args: argparse.Namespace) -> None:
    from mmreid_ext.apis.configuration import as_device
    from mmreid_ext.apis.embedder import build_embedder
    from mmreid_ext.export.trackers.fitting import require_size

    embedder = build_embedder(None, args.checkpoint, as_device("cpu"))
    rows, left_out = [], []
    for name, kind in FILES:
        if args.only is not None and name not in args.only:
            continue
        try:
            require_size(name, embedder.use["input"])
        except UserError as error:
            left_out.append(str(error))
            continue
        rows.append(compare(name, kind, args, embedder))
        print(rows[-1], flush=True)
    print(
        f"\n{'package':26} {'format':12} {'largest difference':>20} {'cosine to ours,':>16} "
        f"{'least':>15}\n{'':39} {'to PyTorch':>20} {'mean':>16}"
    )
    print("\n".join(rows))
    for line in dict.fromkeys(left_out):
        print(f"left out: {line}")


def main() -> None:
    run_tool(lambda: run(parse_args()))


if __name__ == "__main__":
    main()
