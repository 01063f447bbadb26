"""Write a report for a terminal: short, the worst first."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mmreid_ext.shorten import one_line, several

from .findings import Finding
from .report import AuditReport

_SHOWN = 3  # occurrences of a finding
_PICTURES = 4  # of an occurrence
_LINE = 200  # characters; paths are cut in front of that only if they are hostile


def report_lines(report: AuditReport) -> Iterator[str]:
    """Yield the lines of a report."""
    yield f"Checked {one_line(report.title, _LINE)}"
    for part in report.parts():
        counts = part["images_per_person"]
        per_person = f", {_range(counts)} per person" if counts else ""
        cameras = len([camera for camera in part["cameras"] if camera >= 0])
        shown = several(cameras, "camera") if cameras else "cameras unknown"
        people = several(part["people"], "person").replace("persons", "people")
        yield (
            f"  {one_line(part['set'])} {part['part']}: {several(part['images'], 'image')}, "
            f"{people}{per_person}, {shown}"
        )
    sizes = report.scan.sizes[report.scan.sizes[:, 0] > 0]
    if len(sizes):
        yield f"  sizes: {_range(sizes[:, 0])} wide, {_range(sizes[:, 1])} high"
    yield ""
    yield _verdict(report)
    for finding in report.findings:
        yield ""
        yield from _finding_lines(report, finding)


def _verdict(report: AuditReport) -> str:
    if not report.findings:
        return "Nothing is wrong with it."
    faults, remarks = (
        several(sum(len(one.groups) for one in found), noun)
        for found, noun in ((report.faults, "fault"), (report.remarks, "remark"))
    )
    return f"{faults}, {remarks}"


def _finding_lines(report: AuditReport, finding: Finding) -> Iterator[str]:
    yield f"{'FAULT ' if finding.is_fault else 'remark'} {finding.title}"
    for group in finding.groups[:_SHOWN]:
        names = [one_line(report.image_name(row), _LINE) for row in group.rows[:_PICTURES]]
        note = one_line(group.note, 2 * _LINE)
        if not names:
            yield f"       - {note}"
            continue
        first = f"{names[0]}{_label(report, group.rows[0])}"
        yield f"       - {first}{f': {note}' if note else ''}"
        for row, name in zip(group.rows[1:], names[1:], strict=False):
            yield f"         {name}{_label(report, row)}"
        if len(group.rows) > _PICTURES:
            yield f"         and {several(len(group.rows) - _PICTURES, 'other')}"
    if len(finding.groups) > _SHOWN:
        yield f"       and {several(len(finding.groups) - _SHOWN, 'other')}"
    yield f"       {finding.advice}"


def _label(report: AuditReport, row: int) -> str:
    role = str(report.table.roles[row])
    return f" ({one_line(report.table.person(row), 40)}{f', {role}' if role else ''})"


def _range(values: np.ndarray | list[int]) -> str:
    low, middle, high = int(np.min(values)), int(np.median(values)), int(np.max(values))
    return str(low) if low == high else f"{low:,} to {high:,} (median {middle:,})"
