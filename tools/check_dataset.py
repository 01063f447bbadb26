"""List everything that is wrong with a data set.

python tools/check_dataset.py my_photos                     # a folder per person, or a benchmark's
python tools/check_dataset.py my_shop/annotations.csv --html report.html
python tools/check_dataset.py CONFIG --model CHECKPOINT     # doubtful names, too

CONFIG stands for all its training, validation and test sets. Every picture is decoded once. The
exit code is 0 if there is no fault, 1 if there is one (with --strict: or a remark), and 2 if the
check could not be made. The HTML page shows the people of the data set: read its terms before you
share it.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from mmreid_ext.cli.errors import run_tool
from mmreid_ext.cli.ranks import INTERRUPTED
from mmreid_ext.output_files import require_writable

_MOST_WORKERS = 8  # more threads wait for the interpreter


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", help="configuration (.py), list (.csv) or folder")
    parser.add_argument("--json", metavar="FILE", help="write every finding as JSON")
    parser.add_argument("--html", metavar="FILE", help="write one page with pictures")
    parser.add_argument(
        "--model", metavar="CHECKPOINT", help="a trained model that looks for doubtful names"
    )
    parser.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="threads that read pictures (one per core, up to 8)",
    )
    parser.add_argument("--strict", action="store_true", help="exit code 1 for remarks, too")
    args = parser.parse_args()
    if args.workers is not None and args.workers < 1:
        parser.error(f"--workers {args.workers}: must be at least 1")
    return args


def run(args: argparse.Namespace) -> int:
    for option in ("json", "html"):
        require_writable(getattr(args, option), f"--{option}")

    from mmengine.registry import DefaultScope  # heavy; --help stays quick

    from mmreid_ext.cli.checking.progress import CheckProgress
    from mmreid_ext.cli.checking.target import read_target
    from mmreid_ext.cli.screen.terminal import Terminal
    from mmreid_ext.datasets.audit.report import audit
    from mmreid_ext.datasets.audit.text import report_lines

    progress = CheckProgress()
    options: dict[str, Any] = {"workers": args.workers or min(os.cpu_count() or 1, _MOST_WORKERS)}
    if args.model is not None:
        from mmreid_ext.cli.checking.doubts import embedder

        options["embed"] = embedder(args.model, progress)
    with DefaultScope.overwrite_default_scope("mmpretrain"):
        sources = read_target(args.target)
    report = audit(
        args.target, sources, progress=lambda *done: progress("pictures", *done), **options
    )
    progress.clear()
    terminal = Terminal()
    for line in report_lines(report):
        terminal.line(line, "bold red" if line.startswith("FAULT") else "")
    if args.json is not None:
        from mmreid_ext.output_files.atomic import atomic_open

        Path(args.json).parent.mkdir(parents=True, exist_ok=True)
        with atomic_open(args.json, "w", encoding="utf-8") as file:
            json.dump(report.as_json(), file, indent=1)
    if args.html is not None:
        from mmreid_ext.visualization.dataset_page import save_dataset_page

        save_dataset_page(args.html, report)
        terminal.line(f"\nPage with pictures: {args.html}")
    if not report.is_complete:
        return INTERRUPTED
    return int(bool(report.faults or (args.strict and report.remarks)))


def main() -> None:
    run_tool(lambda: run(parse_args()), instead_of_ranks="start it once, by python", code=2)


if __name__ == "__main__":
    main()
