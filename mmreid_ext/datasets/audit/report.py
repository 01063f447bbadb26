"""Check data sets from end to end, and hold what was found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmreid_ext.pictures.boxes import picture_key

from .findings import KINDS, Finding, Group, merged
from .labels import find_doubtful
from .near_pictures import find_near
from .people import find_people
from .picture_faults import find_picture_faults
from .read_set import SourceSet
from .same_pictures import find_same
from .scan import Progress, Scan, scan
from .table import PictureTable, tabulate

Embed = Callable[[PictureTable, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""From pictures and rows that can be read to embeddings and the rows that they are of."""


@dataclass(frozen=True)
class AuditReport:
    """Everything that was seen and found.

    Args:
        title: What was checked.
        table: The pictures.
        scan: What was seen of them.
        findings: The worst first.
    """

    title: str
    table: PictureTable
    scan: Scan
    findings: list[Finding]

    @property
    def faults(self) -> list[Finding]:
        """Findings that stop a run or make a score wrong."""
        return [finding for finding in self.findings if finding.is_fault]

    @property
    def remarks(self) -> list[Finding]:
        """Findings to look at."""
        return [finding for finding in self.findings if not finding.is_fault]

    @property
    def is_complete(self) -> bool:
        """Whether every picture was looked at."""
        return all(finding.kind != "stopped" for finding in self.findings)

    def image_name(self, row: int) -> str:
        """Path of a picture, with its box if it is a part of one."""
        return picture_key(self.table.paths[row], {"box": self.table.boxes[row]})

    def parts(self) -> list[dict[str, Any]]:
        """Counts of every part of every data set."""
        table, found = self.table, []
        for number, title in enumerate(table.titles):
            for role in ("train", "query", "gallery", ""):
                rows = np.flatnonzero((table.sets == number) & (table.roles == role))
                if not len(rows):
                    continue
                people, counts = np.unique(table.people[rows], return_counts=True)
                counts = counts[people >= 0]
                cameras = Counter(table.camids[rows].tolist())
                found.append(
                    {
                        "set": title,
                        "part": role or "all",
                        "images": len(rows),
                        "people": len(counts),
                        "images_per_person": counts.tolist(),
                        "cameras": dict(sorted(cameras.items())),
                    }
                )
        return found

    def as_json(self) -> dict[str, Any]:
        """The report as plain data, every occurrence in it."""
        return {
            "checked": self.title,
            "complete": self.is_complete,
            "faults": sum(len(finding.groups) for finding in self.faults),
            "remarks": sum(len(finding.groups) for finding in self.remarks),
            "parts": self.parts(),
            "findings": [
                {
                    "kind": finding.kind,
                    "level": KINDS[finding.kind].level,
                    "title": finding.title,
                    "advice": finding.advice,
                    "occurrences": [self._occurrence(group) for group in finding.groups],
                }
                for finding in self.findings
            ],
        }

    def _occurrence(self, group: Group) -> dict[str, Any]:
        table = self.table
        pictures = [
            {
                "path": self.image_name(row),
                "person": table.person(row),
                "camera": int(table.camids[row]),
                "part": str(table.roles[row]) or "all",
                "set": table.titles[int(table.sets[row])],
            }
            for row in group.rows
        ]
        return {"note": group.note, "pictures": pictures}


def audit(
    title: str,
    sources: Sequence[SourceSet],
    *,
    workers: int = 1,
    progress: Progress | None = None,
    embed: Embed | None = None,
) -> AuditReport:
    """Check every picture and every row of data sets.

    Args:
        title: What is checked, for the report.
        sources: The data sets, as they were read.
        workers: Threads that read pictures.
        progress: Called as ``progress(done, total)``, in pictures.
        embed: Computes embeddings for the search of doubtful names. None: no such search.
    """
    table = tabulate(sources)
    seen = scan(table, workers, progress)
    findings = [finding for source in sources for finding in source.findings]
    same, rows = find_same(table, seen, sources)
    findings += same
    findings += find_picture_faults(table, seen)
    findings += find_people(table, sources)
    findings += find_near(table, seen, rows)
    if embed is not None:
        feats, of = embed(table, rows[table.people[rows] >= 0])
        findings += find_doubtful(table, feats, of)
    return AuditReport(title, table, seen, merged(findings))
