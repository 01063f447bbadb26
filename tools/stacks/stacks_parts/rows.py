"""What was found out about stacks, as rows of one Markdown table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

VERSIONS = ("torch", "mmengine", "mmcv", "mmpretrain", "numpy", "setuptools")


@dataclass
class Row:
    """One stack.

    Args:
        name: Of the stack.
        python: Version of the interpreter, empty if there was none.
        versions: By the names of :data:`VERSIONS`.
        passed: Tests; ``None`` where none ran.
        failed: Tests that failed or ended with an error.
        skipped: Tests.
        minutes: For the tests, without the installation.
        remark: What prevented them, and whether that is a fault.
        broken: Whether it counts as a failure without a failed test.
    """

    name: str
    python: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    passed: int | None = None
    failed: int = 0
    skipped: int = 0
    minutes: float = 0.0
    remark: str = ""
    broken: bool = False


def failed(rows: Sequence[Row]) -> bool:
    """Return whether something is wrong: tests, an installation, or that nothing ran at all."""
    return any(row.failed or row.broken for row in rows) or all(row.passed is None for row in rows)


def table(rows: Sequence[Row]) -> str:
    """Return the rows as Markdown."""
    heads = ("Stack", "Python", *VERSIONS, "passed", "failed", "skipped", "minutes")
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for row in rows:
        counts = (str(row.passed), str(row.failed), str(row.skipped), f"{row.minutes:.1f}")
        if row.passed is None:
            counts = ("-", "-", "-", "-")
        versions = (row.versions.get(name, "-") for name in VERSIONS)
        lines.append(f"| {' | '.join((row.name, row.python or '-', *versions, *counts))} |")
    lines += [""] * any(row.remark for row in rows)
    lines += [f"{row.name}: {row.remark}" for row in rows if row.remark]
    return "\n".join([*lines, ""])
