"""The base of all readers: images with identity, camera, domain and role."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.logging import print_log

from mmreid_ext.datasets.checks import record_checks
from mmreid_ext.datasets.checks.file_check import FileOptions, check_files, once_each
from mmreid_ext.datasets.readers.benchmark_folder import BenchmarkFolder
from mmreid_ext.errors import UserError
from mmreid_ext.protocols import EvaluationProtocol, build_protocol
from mmreid_ext.protocols.named import reads_names

from .record_dataset import RecordDataset
from .records import (
    Count,
    Record,
    RecordTable,
    announcement,
    cut_identities,
    image_table,
    select_test,
    select_train,
    set_domains,
    set_labels,
)

ProtocolSpec = str | Mapping[str, Any] | type[EvaluationProtocol] | EvaluationProtocol


class ReIDDataset(BenchmarkFolder, RecordDataset):
    """Reader of one benchmark.

    There is one record per image: ``img_path, pid, camid, domain, role, dataset`` and, in training,
    ``gt_label``. ``pid`` is the data set's own number of the identity, ``camid`` counts from 0 (-1:
    unknown), ``role`` is ``'train'``, ``'query'`` or ``'gallery'``. Labels number the identities in
    ascending order of ``pid``, so they are the same on every machine and rank.

    A subclass defines :meth:`read`, the class attributes below and those of
    :class:`.readers.benchmark_folder.BenchmarkFolder`.

    Attributes:
        title: Name of the data set, the default of ``name``.
        published: Published size of each role.
        default_protocol: Evaluation protocol of the complete test set.
        cut_protocol: Evaluation protocol if identities were cut.
        distractor_pids: Values of ``pid`` that stand for "nobody of the queries".
        numbered_apart: Whether training and test number their identities independently.
        unseen: Whether identities of the test set must not be in the training set.
        overlapping: Data sets that show the same people, and how, by title.
        list_files: Files that name the images, where the set is a list.

    The arrays ``pids``, ``camids``, ``domains`` are described in :class:`RecordDataset`.

    Args:
        data_root: Folder with the data set's folder in it, or that folder itself.
            Defaults to the environment variable ``MMREID_DATA_ROOT``, else ``data``.
        mode: ``'train'`` or ``'test'`` (query and gallery). Defaults to ``'train'``.
        pipeline: Transforms of the loaded image.
        loader: Settings of what reads the file of an image. Defaults to
            ``dict(type='LoadImageFromFile')``, or to the first transform if that loads.
        name: Name in records and metric keys. Defaults to the data set's.
        combine_all: Train on train, query and gallery images, as domain generalisation does.
        domain_from: ``'dataset'`` (one domain), ``'camera'`` (one per camera) or ``'record'`` (as
            the reader says). Defaults to ``'dataset'``.
        identities: Keep these identities only, by original id.
        max_identities: Keep that number of identities, the first in numeric order. In a test they
            are counted among the queries.
        protocol: Evaluation protocol, a name, a dict or a class (see
            ``mmreid_ext.protocols.build_protocol``). Defaults to :attr:`default_protocol`; to
            :attr:`cut_protocol` if identities were cut.
        on_corrupt: ``'error'`` names an unreadable image; ``'skip'`` (training only) replaces it by
            the next image of the same identity, counts and reports. Defaults to ``'error'``.
        check: Whether to compare with the published counts, and to refuse images and identities
            that stand where they must not (``docs/datasets.md``). False: warnings only. Defaults to
            True.
        compare_files: What makes two images the same picture: ``'path'``, the same file, or
            ``'content'``, the same bytes; the latter reads all files. Defaults to ``'path'``.
        **kwargs: ``indices``, ``lazy_init``, ``serialize_data``, ``metainfo`` of MMEngine's
            ``BaseDataset``.

    Raises:
        FileNotFoundError: If the data set's folder is missing or incomplete.
        ValueError: If an option is unknown or there is nothing to train on or evaluate.
    """

    title: str = ""
    published: Mapping[str, Count] = {}
    default_protocol: str = "camera"
    cut_protocol: str = "camera"
    distractor_pids: frozenset[int] = frozenset()
    numbered_apart: bool = False
    unseen: bool = False
    overlapping: Mapping[str, str] = {}

    def __init__(
        self,
        data_root: str | os.PathLike | None = None,
        mode: str = "train",
        pipeline: Sequence = (),
        *,
        loader: Any = None,
        name: str | None = None,
        combine_all: bool = False,
        domain_from: str = "dataset",
        identities: Collection[int] | None = None,
        max_identities: int | None = None,
        protocol: ProtocolSpec | None = None,
        on_corrupt: str = "error",
        check: bool = True,
        compare_files: str = "path",
        **kwargs: Any,
    ) -> None:
        if compare_files not in ("path", "content"):
            raise UserError(
                f"{name or self.title}: compare_files={compare_files!r}, must be 'path' or "
                "'content'."
            )
        self.compare_files = compare_files
        self.data_folder, self.check, self.protocol = data_root, check, protocol
        self.combine_all, self.domain_from = combine_all, domain_from
        self.identities, self.max_identities = identities, max_identities
        self.unparsed: list[str] = []
        self.empty: list[str] = []
        self.list_files: Sequence[str] = ()
        if protocol is not None:
            build_protocol(protocol)  # a typo stops here, not at the first validation
        super().__init__(name or self.title, mode, pipeline, on_corrupt, loader, **kwargs)

    def read(self, folder: Path) -> Iterable[Record]:
        """Read all records of the data set, whatever the mode.

        Args:
            folder: The data set's folder; all paths of one of :attr:`layouts` exist in it.

        Returns:
            Dicts with ``img_path, pid, camid, role`` (and ``domain`` for ``domain_from='record'``).
            They are taken one after another, so a long list need never be in memory.
        """
        raise NotImplementedError(
            f"{type(self).__name__} has no read(): a reader returns its records there."
        )

    def select(self, records: Sequence[Record]) -> Sequence[Record]:
        """Keep the records of this mode.

        Drop distractors under self-retrieval: they share one pid but are different people.
        """
        if self.mode == "train":
            return select_train(records, self.combine_all, self.distractor_pids)
        tests = select_test(records)
        if self.protocol is not None and build_protocol(self.protocol).self_retrieval:
            tests = tests.take(~np.isin(tests.ints("pid"), list(self.distractor_pids)))
        return tests

    def load_data_list(self) -> RecordTable:  # type: ignore[override]  # it reads like a list
        """Find, read, check, select and label the records of this mode."""
        folder = self.find()
        where = f"{self.name} ({folder})"

        def causes() -> list[str | None]:
            unparsed = record_checks.unparsed_message(self.unparsed, where)
            return [unparsed, record_checks.empty_message(self.empty, where)]

        with record_checks.led_by(causes):
            records = RecordTable.of(self.read(folder))
        messages = causes()
        if self.check:
            messages.append(
                record_checks.count_message(records, self.published, self.distractor_pids, where)
            )
        protocol = build_protocol(self.protocol_of(select_test(records)))
        messages += check_files(records, self._file_options(), protocol, where)
        records = RecordTable.of(self.select(records))
        record_checks.require_fitting(records, self.unparsed, where, self.name_form)
        if self.mode == "test":
            protocol = build_protocol(self.protocol_of(records))
            by_content = self.compare_files == "content"
            records, repeated = once_each(records, protocol, by_content, where)
            messages.append(repeated)
        with record_checks.led_by(causes):
            records = cut_identities(records, self.identities, self.max_identities, where)
            messages += self._finish(records, where)
        for message in filter(None, messages):
            print_log(message, logger="current", level=logging.WARNING)
        return records

    def _file_options(self) -> FileOptions:
        return FileOptions(
            is_training=self.mode == "train",
            all_trained_on=self.combine_all,
            check=self.check,
            skips_missing=self.on_corrupt == "skip",
            by_content=self.compare_files == "content",
            list_files=self.list_files,
            numbered_apart=self.numbered_apart,
            unseen=self.unseen,
        )

    def _finish(self, records: RecordTable, where: str) -> list[str]:
        """Label the records in place; returns warnings about what the test set can't answer."""
        records.put("dataset", self.name)
        if self.mode == "train":
            record_checks.require_train(records, where)
            self.num_domains = set_domains(records, self.domain_from, where)
            self.num_classes = set_labels(records)
            return []
        self.check_test(records, where)
        self.num_domains = set_domains(records, "dataset", where)
        people = set(np.unique(records.ints("pid")).tolist())
        self.num_classes = len(people - self.distractor_pids)
        protocol = self.protocol_of(records)
        announced = announcement(records, self.distractor_pids)
        self._metainfo["test_sets"] = {self.name: dict(protocol=protocol, **announced)}
        named = reads_names(build_protocol(protocol))
        table = image_table(records, self.distractor_pids, named)
        names = announced.get("pid_names")
        return record_checks.check_protocol(table, build_protocol(protocol), where, names)

    def check_test(self, records: Sequence[Record], where: str) -> None:
        """Raise ValueError unless something can be evaluated on these test records."""
        if build_protocol(self.protocol_of(records)).self_retrieval:
            record_checks.require_repeated_identity(records, where)
        else:
            record_checks.require_query_and_gallery(records, where)

    def protocol_of(self, records: Sequence[Record]) -> ProtocolSpec:
        """Return the evaluation protocol of these test records."""
        if self.protocol is not None:
            return self.protocol
        is_cut = self.identities is not None or self.max_identities is not None
        return self.cut_protocol if is_cut else self.default_protocol
