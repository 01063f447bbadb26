"""Write down what a fuzzing run has found."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import Any

from .running import Part, Tally


def as_json(parts: Mapping[str, Part], tallies: Mapping[str, Tally], first: int) -> dict[str, Any]:
    """Return a report as JSON types.

    Args:
        parts: What was run.
        tallies: How it ended, by name of the part.
        first: Number of the first case.
    """
    return dict(
        python=platform.python_version(),
        first=first,
        parts={
            name: dict(
                what=parts[name].what,
                cases=tally.cases,
                ends=dict(sorted(tally.ends.items())),
                failed=tally.failed,
                failures=[dict(case=f"{name}:{s}", error=text) for s, text in tally.failures],
                cpu_seconds=round(tally.seconds, 1),
                slowest=dict(cpu_seconds=round(tally.slowest[0], 3), case=tally.slowest[1]),
                memory_growth_mb=round(tally.memory / 2**20),
            )
            for name, tally in tallies.items()
        },
    )


def as_markdown(report: Mapping[str, Any]) -> str:
    """Return a report as a table, and a list of failures."""
    lines = [
        f"Cases {report['first']:,} and following, Python {report['python']}.",
        "",
        "| part | cases | ended | failures | CPU s | slowest case, CPU s | memory, MB |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, part in report["parts"].items():
        ends = ", ".join(f"{how}: {count:,}" for how, count in _merged(part["ends"]).items())
        slowest = f"{part['slowest']['cpu_seconds']} ({name}:{part['slowest']['case']})"
        lines.append(
            f"| {name}: {part['what']} | {part['cases']:,} | {ends} | {part['failed']:,} | "
            f"{part['cpu_seconds']:,} | {slowest} | {part['memory_growth_mb']:,} |"
        )
    for part in report["parts"].values():
        lines += [f"* `--case {one['case']}`: {one['error']}" for one in part["failures"]]
    return "\n".join(lines) + "\n"


def _merged(ends: Mapping[str, int]) -> dict[str, int]:
    """Add up the ends that differ in the kind of file or protocol only."""
    found: dict[str, int] = {}
    for end, count in ends.items():
        words = end.partition(": ")
        how = words[2] if words[2] in ("read", "refused") else words[0]
        found[how] = found.get(how, 0) + count
    return found
