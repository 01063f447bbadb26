"""Write the random splits of VIPeR, PRID2011, GRID and i-LIDS that the package ships.

Identities are given by position in the sorted list of those with an image on both sides, so the
files hold for every copy of the data sets, however its images are named. Only MT19937's raw 32-bit
output is used, which NumPy guarantees never to change::

    python tools/converters/make_splits.py --out mmreid_ext/protocols/splits
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from mmreid_ext.cli.errors import run_tool
from mmreid_ext.output_files import require_writable

FORMAT = "mmreid_ext-splits-1"
CAMERAS = dict(query=dict(camid=0), gallery=dict(camid=1))
ROLES = dict(query=dict(role="query"), gallery=dict(role="gallery"))
# name: identities with images on both sides, of which are tested, and where they lie in the files
BENCHMARKS: dict[str, dict[str, Any]] = {
    "viper": dict(count=632, test=316, min_pid=None, max_pid=None, **CAMERAS),
    "prid2011": dict(count=200, test=100, min_pid=1, max_pid=200, **CAMERAS),
    "grid": dict(count=250, test=125, min_pid=1, max_pid=250, **ROLES),
    "ilids": dict(count=119, test=60, min_pid=None, max_pid=None, picks=True),
}


def draw_sorted(generator: np.random.MT19937, count: int, test: int) -> list[int]:
    """The positions of the ``test`` smallest of ``count`` random numbers, ascending."""
    keys = generator.random_raw(count)
    return sorted(np.argsort(keys, kind="stable")[:test].tolist())


def make(name: str, num_splits: int, seed: int) -> dict:
    """Content of the split file of one benchmark."""
    rules = dict(BENCHMARKS[name])
    test, with_picks = rules.pop("test"), rules.pop("picks", False)
    generator = np.random.MT19937(seed)
    splits = [draw_sorted(generator, rules["count"], test) for _ in range(num_splits)]
    content = dict(format=FORMAT, dataset=name, seed=seed, by_position=True, **rules, splits=splits)
    if with_picks:
        raw = generator.random_raw((num_splits, test, 2)) % 10_000
        content["picks"] = raw.tolist()
    return content


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--out", type=Path, required=True, help="folder to write <benchmark>.json into"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--num-splits", type=int, default=10)
    return parser.parse_args()


def run(args: argparse.Namespace) -> None:
    require_writable(args.out / "split.json", "--out")
    args.out.mkdir(parents=True, exist_ok=True)
    for name in BENCHMARKS:
        content = make(name, args.num_splits, args.seed)
        path = args.out / f"{name}.json"
        path.write_text(json.dumps(content) + "\n", encoding="utf-8")


def main() -> None:
    run_tool(lambda: run(parse_args()))


if __name__ == "__main__":
    main()
