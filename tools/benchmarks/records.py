"""Cost of a long list of pictures: CPU time and memory until the first batch can be drawn.

Example::

    python tools/benchmarks/records.py                          # a million pictures, CSV and folder
    python tools/benchmarks/records.py --records 20000 --kinds csv --workers 0

Files of no bytes stand for the pictures; none is decoded. Every kind is read in a process of its
own: data set, quick check of `tools/train.py`, sampler, loader with workers. Bytes are counted from
what the imports have left. `peak` is the greatest memory on the way, `worker` is what one worker
has of its own after some batches beyond one of a list of 1,000 pictures.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from mmreid_ext.cli.errors import run_tool

CHILD = "from records_parts.worker import main; main()"
PICTURES_OF_A_PERSON = 20
PEOPLE_OF_A_FOLDER = 50
CAMERAS = 8
LIMIT_S = 1800


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--records", type=int, default=1_000_000, help="pictures of the list")
    parser.add_argument("--kinds", nargs="+", choices=["csv", "folder"], default=["csv", "folder"])
    parser.add_argument("--workers", type=int, default=2, help="workers of the loader")
    parser.add_argument("--place", help="folder for the files (default: the system's for these)")
    return parser.parse_args()


def make_list(folder: Path, count: int) -> None:
    """Write a CSV file that names ``count`` empty files in folders below."""
    folder.mkdir()
    with open(folder / "annotations.csv", "w", encoding="utf-8") as file:
        file.write("path,pid,camid,split\n")
        for number in range(count):
            pid, index = divmod(number, PICTURES_OF_A_PERSON)
            part = f"pictures/{pid // PEOPLE_OF_A_FOLDER:04d}"
            if number % (PICTURES_OF_A_PERSON * PEOPLE_OF_A_FOLDER) == 0:
                (folder / part).mkdir(parents=True)
            name = f"{part}/{pid:06d}_{index:02d}.jpg"
            (folder / name).touch()
            file.write(f"{name},{pid},{index % CAMERAS},train\n")


def make_folder(folder: Path, count: int) -> None:
    """Make a folder like Market-1501's, with ``count`` empty training files."""
    for part in ("bounding_box_train", "query", "bounding_box_test"):
        (folder / part).mkdir(parents=True)
    for number in range(count):
        pid, index = divmod(number, PICTURES_OF_A_PERSON)
        name = f"{pid + 1:06d}_c{index % CAMERAS + 1}s1_{index:06d}_00.jpg"
        (folder / "bounding_box_train" / name).touch()


def measured(kind: str, folder: Path, workers: int) -> dict[str, float]:
    """Read one list in a process of its own."""
    command = [sys.executable, "-c", CHILD, kind, str(folder), str(workers)]
    places = [str(Path(__file__).parent), *filter(None, sys.path)]
    found = subprocess.run(
        command,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=LIMIT_S,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(places)},
    ).stdout
    return json.loads(found.splitlines()[-1])


def run(args: argparse.Namespace) -> None:
    """Measure, and print one row per kind."""
    make = dict(csv=make_list, folder=make_folder)
    print("kind   records  CPU s (imports)  kept B/record  peak  worker  digest of the batches")
    for kind in args.kinds:
        with tempfile.TemporaryDirectory(dir=args.place) as place:
            found = []
            for count in (args.records, 1000):
                folder = Path(place, str(count))
                make[kind](folder, count)
                found.append(measured(kind, folder, args.workers))
        whole, little = found
        own = (whole["worker"] - little["worker"]) / args.records
        print(
            f"{kind:6} {args.records:8,} {whole['cpu']:6.1f} ({whole['imports']:.1f}) "
            f"{whole['kept'] / args.records:14.0f} {whole['peak'] / args.records:6.0f} "
            f"{own:6.0f}   {whole['digest']}",
            flush=True,
        )


def main() -> None:
    run_tool(lambda: run(parse_args()))


if __name__ == "__main__":
    main()
