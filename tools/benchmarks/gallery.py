"""Measure a gallery: adding, searching, memory, disk, several processes, processes that are killed.

python tools/benchmarks/gallery.py --rows 200000 --json gallery.json
python tools/benchmarks/gallery.py --rows 1000000 --folder BIG_DISK --markdown gallery.md

The vectors are drawn: ten per person, nearest neighbours at a cosine of 0.6 to 0.7. Every part runs
in a process of its own with one thread. CPU time says more than the clock on a shared machine.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from mmreid_ext.cli.errors import run_tool
from mmreid_ext.output_files import require_writable


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=200_000, help="default: %(default)s")
    parser.add_argument("--size", type=int, default=512, help="numbers of a vector")
    parser.add_argument("--queries", type=int, default=200, help="default: %(default)s")
    parser.add_argument("--topk", type=int, default=10, help="default: %(default)s")
    parser.add_argument("--batch", type=int, default=1000, help="rows of an addition")
    parser.add_argument("--kills", type=int, default=100, help="0 leaves this part out")
    parser.add_argument(
        "--seconds", type=float, default=20, help="of three processes at once; 0 leaves it out"
    )
    parser.add_argument("--folder", help="where the files are made, and deleted at the end")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table")
    return parser.parse_args()


def run(args: argparse.Namespace) -> None:
    require_writable(args.json, "--json")
    require_writable(args.markdown, "--markdown")
    with tempfile.TemporaryDirectory(prefix="gallery", dir=args.folder) as folder:
        measured = measure(args, Path(folder))
    table = markdown(measured)
    print(table)
    if args.json is not None:
        args.json.write_text(json.dumps(measured, indent=1) + "\n")
    if args.markdown is not None:
        args.markdown.write_text(table + "\n")


def measure(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Run every part and return its figures."""
    from gallery_parts import many, worker

    place = str(folder / "people.db")
    shape = dict(place=place, rows=args.rows, size=args.size)
    added = worker.result(worker.start("ingest", **shape, batch=args.batch))
    disk = many.disk_mb(place)
    asked = worker.result(worker.start("query", **shape, count=args.queries, topk=args.topk))
    plain = {key: value for key, value in shape.items() if key != "place"}
    flat = worker.result(worker.start("flat", **plain, count=args.queries, topk=args.topk))
    found = {kind: asked[kind].pop("found") for kind in ("plain", "filtered")}
    measured = dict(
        rows=args.rows, size=args.size, load=os.getloadavg()[0], ingest=added, flat=flat
    )
    measured |= dict(disk_mb=disk, vectors_mb=args.rows * args.size * 2 / 1e6, **asked)
    for kind, rows in found.items():
        measured[kind]["recall"] = recall(rows, args, filtered=kind == "filtered")
    if args.seconds:
        measured["together"] = many.together(str(folder / "together.db"), args.size, args.seconds)
    if args.kills:
        measured["kills"] = many.kills(str(folder / "kills.db"), args.size, args.kills)
    return measured


def recall(found: list[list[int]], args: argparse.Namespace, filtered: bool) -> float:
    """Return the share of the exact nearest rows, by float32, that were found."""
    from gallery_parts import data

    queries = data.draw_queries(args.queries, args.rows, args.size)
    exact = data.exact(queries, args.rows, args.size, args.topk, filtered).tolist()
    hits = [len({*a} & {*b}) / len(b) for a, b in zip(found, exact, strict=True)]
    return sum(hits) / len(hits)


def markdown(measured: dict[str, Any]) -> str:
    """Write the figures as a table."""
    memory, plain, filtered = measured["memory"], measured["plain"], measured["filtered"]
    opened, added, vectors = measured["opened"], measured["ingest"], measured["vectors_mb"]
    rows = [
        ("rows x numbers", f"{measured['rows']:,} x {measured['size']}"),
        ("adding, CPU", f"{added['cpu']:.1f} s ({measured['rows'] / added['cpu']:,.0f} rows/s)"),
        (
            "opening to the first answer, CPU / wall",
            f"{opened['cpu']:.2f} / {opened['wall']:.2f} s",
        ),
        ("query, CPU", f"{plain['cpu_ms']:.1f} ms"),
        ("the same by FAISS alone, CPU", f"{measured['flat']['cpu_ms']:.1f} ms"),
        ("query, p50 / p99 wall", f"{plain['p50_ms']:.1f} / {plain['p99_ms']:.1f} ms"),
        ("query with filter, CPU", f"{filtered['cpu_ms']:.1f} ms"),
        ("with filter, p50 / p99 wall", f"{filtered['p50_ms']:.1f} / {filtered['p99_ms']:.1f} ms"),
        ("recall, plain / with filter", f"{plain['recall']:.4f} / {filtered['recall']:.4f}"),
        ("disk", f"{measured['disk_mb']:,.0f} MB ({measured['disk_mb'] / vectors:.2f} x vectors)"),
        ("memory, open", _memory(memory["index_mb"], vectors)),
        ("memory, peak with queries", _memory(memory["peak_with_queries_mb"], vectors)),
    ]
    if "together" in measured:
        both = measured["together"]
        rows.append(("two add, one searches", f"{sum(both['acknowledged']):,} rows acknowledged"))
        rows.append(("lost or half batches", f"{both['lost_batches']}, {both['half_batches']}"))
    if "kills" in measured:
        killed = measured["kills"]
        counts = f"{killed['acknowledged']:,} rows acknowledged, {killed['there']:,} there"
        rows.append((f"{killed['kills']} kills", counts))
        rows.append(("lost or half batches", f"{len(killed['lost'])}, {len(killed['half'])}"))
    return "\n".join(["| figure | measured |", "|---|---|", *(f"| {a} | {b} |" for a, b in rows)])


def _memory(mb: float, vectors: float) -> str:
    return f"{mb:,.0f} MB ({mb / vectors:.2f} x the float16 vectors)"


def main() -> None:
    run_tool(lambda: run(parse_args()), instead_of_ranks="start it once, by python")


if __name__ == "__main__":
    main()
