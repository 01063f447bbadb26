"""Read the records of one data set, and note what is wrong with them instead of stopping."""

from __future__ import annotations

from dataclasses import dataclass, field

from mmreid_ext.datasets.checks import record_checks
from mmreid_ext.datasets.records import Record, cut_identities, select_test
from mmreid_ext.datasets.reid_dataset import ReIDDataset
from mmreid_ext.errors import UserError
from mmreid_ext.protocols import EvaluationProtocol, build_protocol

from .findings import Finding, notes


@dataclass
class SourceSet:
    """Records of one data set, with what its reader says about them.

    Args:
        title: Name for the report.
        records: Dicts ``img_path, pid, camid, role`` and perhaps ``pid_name``, ``box``.
        space: Sets of one space number the same people in the same way.
        protocol: How its test images are evaluated. None: they aren't.
        numbered_apart: Whether training and test number their people independently.
        distractor_pids: Values of ``pid`` that stand for several people.
        findings: What was found while reading.
    """

    title: str
    records: list[Record]
    space: str
    protocol: EvaluationProtocol | None = None
    numbered_apart: bool = False
    distractor_pids: frozenset[int] = frozenset()
    findings: list[Finding] = field(default_factory=list)


def read_set(reader: ReIDDataset, *, whole: bool) -> SourceSet:
    """Read the records of a reader that was built without reading them (``lazy_init``).

    Args:
        reader: The reader.
        whole: Whether training, query and gallery images are meant; otherwise those of its mode.
    """
    found = SourceSet(
        reader.name,
        [],
        type(reader).__name__,
        numbered_apart=reader.numbered_apart,
        distractor_pids=frozenset(reader.distractor_pids),
    )
    wrong: list[str] = []
    if hasattr(reader, "wrong_rows"):
        reader.wrong_rows = wrong
    try:
        folder = reader.find()
        found.space = f"{type(reader).__name__} {getattr(reader, 'csv_file', folder)}"
        records = list(reader.read(folder))
        found.findings += _about_records(reader, records, f"{reader.name} ({folder})")
        if not whole:
            chosen = cut_identities(
                reader.select(records), reader.identities, reader.max_identities, reader.name
            )
            records = list(chosen)
        found.records = records
    except (UserError, OSError) as error:
        found.findings += notes("unreadable_set", [str(error)])
    found.findings += notes("wrong_row", wrong)
    if found.records:
        found.findings += _about_parts(reader, found, whole)
    return found


def _about_records(reader: ReIDDataset, records: list[Record], where: str) -> list[Finding]:
    odd = [f"{path}: its name is not of this set's pattern" for path in reader.unparsed]
    odd += [f"{place}: no image" for place in reader.empty]
    counts = record_checks.count_message(records, reader.published, reader.distractor_pids, where)
    return notes("other_files", odd) + notes("not_published", [counts] if counts else [])


def _about_parts(reader: ReIDDataset, found: SourceSet, whole: bool) -> list[Finding]:
    """Check that there is something to train on and something to evaluate."""
    texts = []
    train = [record for record in found.records if record["role"] == "train"]
    test = select_test(found.records)
    if train or (reader.mode == "train" and not whole):
        try:
            record_checks.require_train(train, reader.name)
        except UserError as error:
            texts.append(str(error))
    if test or (reader.mode == "test" and not whole):
        try:
            found.protocol = build_protocol(reader.protocol_of(test))
            reader.check_test(test, reader.name)
        except UserError as error:
            texts.append(str(error))
    return notes("unusable_part", texts)
