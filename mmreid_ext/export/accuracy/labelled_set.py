"""Read labelled test images: of a configuration, a list or a folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mmreid_ext.config_files import read_config_file
from mmreid_ext.datasets.audit.plain_folder import UNKNOWN_ROLE
from mmreid_ext.datasets.audit.read_set import SourceSet
from mmreid_ext.datasets.audit.sources import sets_of_config, sets_of_path
from mmreid_ext.datasets.records import Record, image_table, select_test
from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.protocols import EvaluationProtocol, ImageTable, build_protocol


@dataclass(frozen=True)
class LabelledSet:
    """Images of a test set and how they are evaluated.

    Attributes:
        name: Of the set.
        records: One per image, for :func:`mmreid_ext.apis.embedder.prepare_record`.
        table: What they show, row by row.
        protocol: How they are evaluated.
    """

    name: str
    records: list[Record]
    table: ImageTable
    protocol: EvaluationProtocol


def labelled_sets(target: str | Path) -> list[LabelledSet]:
    """Read the test sets of a target.

    Args:
        target: A configuration (``.py``, its test and validation sets), a list (``.csv``), the
            folder of a benchmark, or a folder with one folder per person. The last has no queries:
            every picture is asked against all others.

    Raises:
        MissingFileError: If there is no such file or folder.
        UserError: If it holds no labelled test images.
    """
    path = Path(target)
    if not path.exists():
        raise MissingFileError(
            f"--data {path}: there is no such file or folder; give a configuration (.py), a list "
            "(.csv) or a folder."
        )
    sources = sets_of_config(read_config_file(path)) if path.suffix == ".py" else sets_of_path(path)
    found = [one for source in sources if (one := _labelled(source)) is not None]
    if not found:
        reasons = [one.groups[0].note for source in sources for one in source.findings]
        why = reasons[0] if reasons else "it has neither queries nor a gallery"
        raise UserError(
            f"--data {path} holds no labelled test images ({why}); give a configuration, a list "
            "with queries and a gallery, or a folder with a folder per person."
        )
    return found


def _labelled(source: SourceSet) -> LabelledSet | None:
    protocol, records = source.protocol, list(select_test(source.records))
    if not records:
        records = [{**r, "role": "query"} for r in source.records if r["role"] == UNKNOWN_ROLE]
        protocol = build_protocol(dict(type="self_retrieval", nmi=False))
    if not records:
        return None
    if protocol is None:
        has_cameras = any(record["camid"] >= 0 for record in records)
        protocol = build_protocol("camera" if has_cameras else "no_camera")
    named = [{**record, "dataset": source.title} for record in records]
    table = image_table(named, source.distractor_pids)
    return LabelledSet(source.title, named, table, protocol)
