"""A list of drawn people, sound as it is, to plant faults in."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from PIL import Image

from mmreid_ext.datasets.audit.report import AuditReport, audit
from mmreid_ext.datasets.audit.sources import sets_of_path
from mmreid_ext.datasets.synthetic.writer import make_synthetic_domains

NAMES = ("ann", "bob", "eve", "joe", "lea", "max", "tom", "zoe")
HEADER = "path,pid,camid,split"


@cache
def _drawn() -> Path:
    """Eight people by two cameras, twice each: four to train on, four to test."""
    folder = Path(mkdtemp(prefix="drawn-shop-")) / "drawn"
    return make_synthetic_domains(folder, 1, len(NAMES), num_cameras=2) / "domain_0"


class Shop:
    """A folder with pictures and the rows of its list.

    Args:
        folder: Where to put it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(_drawn(), folder)
        self.rows: list[list[str]] = []
        parts = {"bounding_box_train": "train", "query": "query", "bounding_box_test": "gallery"}
        for part, role in parts.items():
            for path in sorted((folder / part).iterdir()):
                name = NAMES[int(path.name[:4]) - 1]
                self.rows.append([f"{part}/{path.name}", name, path.name[6], role])

    def path(self, role: str, number: int = 0) -> Path:
        """The file of the ``number``-th picture of a role."""
        return self.folder / self.row(role, number)[0]

    def row(self, role: str, number: int = 0) -> list[str]:
        return [row for row in self.rows if row[3] == role][number]

    def person(self, role: str, number: int = 0) -> str:
        return self.row(role, number)[1]

    def add(self, name: str, content: bytes | Path | Image.Image | None, *cells: str) -> Path:
        """Write a file (a copy, bytes, a picture, or none) and list it."""
        path = self.folder / name
        if isinstance(content, Path):
            shutil.copy(content, path)
        elif isinstance(content, bytes):
            path.write_bytes(content)
        elif content is not None:
            content.save(path, quality=60)
        self.rows.append([name, *cells])
        return path

    def write(self) -> Path:
        """Write the list; returns its path."""
        path = self.folder / "annotations.csv"
        lines = [
            HEADER,
            *(",".join(f'"{c.replace(chr(34), chr(34) * 2)}"' for c in row) for row in self.rows),
        ]
        path.write_text("\n".join(lines) + "\n")
        return path

    def audit(self, **options) -> AuditReport:
        """Check the list with two threads."""
        path = self.write()
        return audit(str(path), sets_of_path(path), **{"workers": 2, **options})


def found(report: AuditReport) -> dict[str, list[list[str]]]:
    """File names of every occurrence, by kind."""
    return {
        finding.kind: [
            [Path(report.table.paths[row]).name for row in group.rows] for group in finding.groups
        ]
        for finding in report.findings
    }


def notes(report: AuditReport, kind: str) -> list[str]:
    """Words of every occurrence of a kind."""
    return [g.note for finding in report.findings if finding.kind == kind for g in finding.groups]
