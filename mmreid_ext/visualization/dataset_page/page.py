"""Write a report about a data set as one HTML page that needs nothing but itself."""

from __future__ import annotations

import html
import os
from collections import Counter
from collections.abc import Iterator
from importlib.resources import files
from itertools import islice
from pathlib import Path
from string import Template

from mmreid_ext.datasets.audit.findings import Finding, Group
from mmreid_ext.datasets.audit.report import AuditReport
from mmreid_ext.output_files.atomic import atomic_open
from mmreid_ext.protocols.camera_label import camera_label
from mmreid_ext.shorten import one_line, several
from mmreid_ext.visualization.thumbnails import ThumbnailReader

from .charts import bar_chart, histogram

_GROUPS = 24  # occurrences of a finding that are shown, with pictures
_NOTES = 200  # occurrences that have only words
_FEW = 8  # occurrences of a remark that are shown at once
_PICTURES = 6  # of an occurrence
_HEIGHT = 112  # pixels of a thumbnail; 5 kB
_ASSETS = ("page.css", "dataset_page.css")


def save_dataset_page(path: str | os.PathLike, report: AuditReport) -> Path:
    """Write the page: findings with pictures, the worst first, and counts.

    Styles and thumbnails are inside, there is no script, and the page's own security policy forbids
    it to load anything. Its size is bounded: a few hundred thumbnails. It shows the people of the
    data set.

    Args:
        path: The file to write; missing folders are made.
        report: From :func:`mmreid_ext.datasets.audit.report.audit`.

    Returns:
        The path written.
    """
    assets = files("mmreid_ext.visualization") / "assets"
    text = Template((assets / "dataset_page.html").read_text("utf-8")).substitute(
        title=html.escape(f"Data set check: {one_line(report.title)}"),
        css="\n".join((assets / name).read_text("utf-8") for name in _ASSETS),
        verdict=_verdict(report),
        parts="".join(_part_rows(report)),
        charts="".join(_charts(report)),
        findings="".join(_Findings(report).sections()),
    )
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_open(path, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)
    return path


def _verdict(report: AuditReport) -> str:
    if not report.findings:
        return '<span class="badge fine">Nothing is wrong with it</span>'
    faults, remarks = (
        sum(len(one.groups) for one in found) for found in (report.faults, report.remarks)
    )
    return (
        f'<span class="badge {"bad" if faults else "fine"}">{several(faults, "fault")}</span> '
        f'<span class="badge">{several(remarks, "remark")}</span>'
    )


def _part_rows(report: AuditReport) -> Iterator[str]:
    for part in report.parts():
        counts = part["images_per_person"]
        cameras = len([camera for camera in part["cameras"] if camera >= 0])
        cells = (
            f"{part['images']:,}",
            f"{part['people']:,}",
            str(cameras) if cameras else "unknown",
            f"{min(counts):,} to {max(counts):,}" if counts else "–",
        )
        numbers = "".join(f"<td>{cell}</td>" for cell in cells)
        yield f"<tr><th>{html.escape(part['set'])}</th><td>{part['part']}</td>{numbers}</tr>"


def _charts(report: AuditReport) -> Iterator[str]:
    cameras: Counter[int] = Counter()
    for part in report.parts():
        cameras.update(part["cameras"])
        title = f"{part['set']} {part['part']}: images per person"
        yield histogram(title, part["images_per_person"], "images")
    sizes = report.scan.sizes[report.scan.sizes[:, 0] > 0]
    yield histogram("Widths", sizes[:, 0], "pixels")
    yield histogram("Heights", sizes[:, 1], "pixels")
    named = {camera_label(camera) or "unknown": n for camera, n in sorted(cameras.items())}
    yield bar_chart("Images per camera", named)


class _Findings:
    """Sections of the page, one per finding."""

    def __init__(self, report: AuditReport) -> None:
        self.report = report
        self.reader = ThumbnailReader(height=_HEIGHT)

    def sections(self) -> Iterator[str]:
        for finding in self.report.findings:
            yield self._section(finding)

    def _section(self, finding: Finding) -> str:
        level = "fault" if finding.is_fault else "remark"
        is_open = "open" if finding.is_fault or len(finding.groups) <= _FEW else ""
        pictured = [group for group in finding.groups if group.rows][:_GROUPS]
        worded = [group for group in finding.groups if not group.rows][:_NOTES]
        items = "".join(map(self._pictures, pictured))
        notes = "".join(f"<li>{html.escape(group.note)}</li>" for group in worded)
        more = len(finding.groups) - len(pictured) - len(worded)
        rest = f'<p class="muted">and {several(more, "other")}, see --json</p>' if more else ""
        return (
            f'<details class="finding {level}" {is_open}>'
            f'<summary><span class="level">{level}</span> <b>{html.escape(finding.title)}</b>'
            f'</summary><p class="muted">{html.escape(finding.advice)}</p>'
            f'<ul class="notes-list">{notes}</ul><div class="groups">{items}</div>{rest}</details>'
        )

    def _pictures(self, group: Group) -> str:
        pictures = "".join(map(self._picture, islice(group.rows, _PICTURES)))
        more = len(group.rows) - _PICTURES
        rest = f'<p class="muted">and {several(more, "other")}</p>' if more > 0 else ""
        note = f'<p class="note">{html.escape(group.note)}</p>' if group.note else ""
        return f'<div class="group"><div class="strip">{pictures}</div>{note}{rest}</div>'

    def _picture(self, row: int) -> str:
        table = self.report.table
        name = self.report.image_name(row)
        # What can't be read isn't opened again: it may be a pipe, or take all memory.
        is_sound = table.files[row] is not None and row not in self.report.scan.problems
        camera = camera_label(int(table.camids[row])) if table.camids[row] >= 0 else ""
        words = [table.person(row), str(table.roles[row]), camera]
        label = " · ".join(word for word in words if word)
        short = name.replace("\\", "/").rsplit("/", 1)[-1]
        picture = '<div class="none" role="img" aria-label="no picture">×</div>'
        if is_sound:
            jpeg = self.reader.base64_jpeg(name)
            picture = f'<img alt="{html.escape(short)}" src="data:image/jpeg;base64,{jpeg}">'
        return (
            f'<figure title="{html.escape(name)}">{picture}'
            f"<figcaption><b>{html.escape(label)}</b>"
            f"<span>{html.escape(short)}</span></figcaption></figure>"
        )
