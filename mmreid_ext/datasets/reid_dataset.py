"""The base of all readers: images with identity, camera, domain and role."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log

from . import checks
from .corrupt_images import CorruptImages, UnreadableImageError, load_image, replacements
from .folders import find_folder, list_images
from .isolated_rng import isolated_rng
from .records import (
    Record,
    column,
    cut_identities,
    select_test,
    select_train,
    set_domains,
    set_labels,
)


class ReIDDataset(BaseDataset):
    """One record per image: ``img_path, pid, camid, domain, role, dataset`` and, in training, ``gt_label``.

    ``pid`` is the data set's own number of the identity, ``camid`` counts from 0 (-1: unknown), ``role`` is
    ``'train'``, ``'query'`` or ``'gallery'``. Labels number the identities in ascending order of ``pid``, so
    they are the same on every machine and rank.

    A subclass defines :meth:`read` and the class attributes below.

    Attributes:
        title: Name of the data set, the default of ``name``.
        folder_names: Names that its folder may have, the published one first.
        layouts: Alternative sets of paths that its folder must contain.
        obtain: How to get it.
        published: Published size of each role.
        default_protocol: Evaluation protocol of the complete test set.
        distractor_pids: Values of ``pid`` that stand for "nobody of the queries".
        pids: Identity label (training) or ``pid`` (test) of every image, int64 (N,).
        camids: Camera of every image, int64 (N,).
        domains: Domain of every image, int64 (N,).
        num_classes: Number of identities.
        num_domains: Number of domains.

    Args:
        data_root: Folder with the data set's folder in it, or that folder itself.
            Defaults to the environment variable ``MMREID_DATA_ROOT``, else ``data``.
        mode: ``'train'`` or ``'test'`` (query and gallery). Defaults to ``'train'``.
        pipeline: Transforms; the first one loads the image.
        name: Name in records and metric keys. Defaults to the data set's.
        combine_all: Train on train, query and gallery images, as domain generalisation does.
        domain_from: ``'dataset'`` (one domain), ``'camera'`` (one per camera) or ``'record'`` (as the reader
            says). Defaults to ``'dataset'``.
        identities: Keep these identities only, by original id.
        max_identities: Keep the first so many identities in numeric order (test: query identities and the
            gallery images of those).
        protocol: Evaluation protocol, a name or a dict (see ``mmreid_ext.evaluation.build_protocol``).
            Defaults to the data set's; to ``'camera'`` when identities were cut.
        on_corrupt: ``'error'`` names an unreadable image; ``'skip'`` (training only) replaces it by the next
            image of the same identity, counts and reports. Defaults to ``'error'``.
        check: Whether to compare with the published counts. Defaults to True.
        **kwargs: ``indices``, ``lazy_init``, ``serialize_data``, ``metainfo`` of MMEngine's ``BaseDataset``.

    Raises:
        FileNotFoundError: If the data set's folder is missing or incomplete.
        ValueError: If an option is unknown or there is nothing to train on or evaluate.
    """

    title: ClassVar[str] = ""
    folder_names: ClassVar[Sequence[str]] = ()
    layouts: ClassVar[Sequence[Sequence[str]]] = ((),)
    obtain: ClassVar[str] = ""
    published: ClassVar[Mapping[str, checks.Count]] = {}
    default_protocol: ClassVar[str] = "camera"
    distractor_pids: ClassVar[frozenset[int]] = frozenset()

    def __init__(
        self,
        data_root: str | os.PathLike | None = None,
        mode: str = "train",
        pipeline: Sequence = (),
        *,
        name: str | None = None,
        combine_all: bool = False,
        domain_from: str = "dataset",
        identities: Collection[int] | None = None,
        max_identities: int | None = None,
        protocol: str | Mapping[str, Any] | None = None,
        on_corrupt: str = "error",
        check: bool = True,
        **kwargs: Any,
    ) -> None:
        self.name = name or self.title
        if mode not in ("train", "test"):
            raise ValueError(f"{self.name}: mode must be 'train' or 'test', got {mode!r}.")
        if on_corrupt not in ("error", "skip"):
            raise ValueError(f"{self.name}: on_corrupt must be 'error' or 'skip', got {on_corrupt!r}.")
        if mode == "test" and on_corrupt == "skip":
            raise ValueError(
                f"{self.name}: on_corrupt='skip' would evaluate other images than the set's; it is for training. "
                "Delete unreadable test images instead."
            )
        self.mode, self.combine_all, self.domain_from = mode, combine_all, domain_from
        self.identities, self.max_identities = identities, max_identities
        self.protocol, self.on_corrupt, self.check = protocol, on_corrupt, check
        self.unparsed: list[str] = []
        self.data_folder = data_root
        super().__init__(data_prefix={}, pipeline=pipeline, test_mode=mode == "test", **kwargs)

    # Reading -------------------------------------------------------------------------------------------

    def find(self) -> Path:
        """The data set's folder."""
        return find_folder(
            self.data_folder, self.folder_names, self.layouts, title=self.name, obtain=self.obtain
        )

    def read(self, folder: Path) -> list[Record]:
        """Read all records of the data set, whatever the mode.

        Args:
            folder: The data set's folder; all paths of one of :attr:`layouts` exist in it.

        Returns:
            Dicts with ``img_path, pid, camid, role`` (and ``domain`` for ``domain_from='record'``).
        """
        raise NotImplementedError

    def read_folder(
        self, folder: Path, role: str, pattern: re.Pattern, camid: int | None = None
    ) -> Iterator[Record]:
        """Yield a record for every image of ``folder``; names off the pattern go to ``self.unparsed``.

        Args:
            folder: Folder of images.
            role: Their role.
            pattern: Matched against the beginning of the file name, with the groups ``pid`` and ``cam``.
            camid: Camera of all images. None: ``cam`` of the pattern, counted from 1.
        """
        for path in list_images(folder):
            found = pattern.match(path.name)
            if found is None:
                self.unparsed.append(str(path))
                continue
            camera = int(found["cam"]) - 1 if camid is None else camid
            yield dict(img_path=str(path), pid=int(found["pid"]), camid=camera, role=role)

    def select(self, records: list[Record]) -> list[Record]:
        """Keep the records of this mode."""
        if self.mode == "train":
            return select_train(records, self.combine_all, self.distractor_pids)
        return select_test(records)

    def load_data_list(self) -> list[Record]:
        """Find, read, check, select and label the records of this mode."""
        folder = self.find()
        where = f"{self.name} ({folder})"
        records = self.read(folder)
        messages = [checks.unparsed_message(self.unparsed, where)]
        if self.check:
            messages.append(
                checks.count_message(records, self.published, self.distractor_pids, where)
            )
        records = self.select(records)
        records = cut_identities(records, self.identities, self.max_identities, where)
        messages.append(self._finish(records, where))
        for message in filter(None, messages):
            print_log(message, logger="current", level=logging.WARNING)
        return records

    def _finish(self, records: list[Record], where: str) -> str | None:
        """Label the records in place; returns a warning about queries without a match."""
        for record in records:
            record["dataset"] = self.name
        if self.mode == "train":
            checks.require_train(records, where)
            self.num_domains = set_domains(records, self.domain_from, where)
            self.num_classes = set_labels(records)
            return None
        checks.require_query_and_gallery(records, where)
        self.num_domains = set_domains(records, "dataset", where)
        self.num_classes = len({r["pid"] for r in records} - self.distractor_pids)
        protocol = self.protocol_of(records)
        self._metainfo["test_sets"] = {self.name: dict(protocol=protocol)}
        if protocol not in ("camera", "no_camera", "paddleclas"):
            return None  # other protocols choose queries and galleries themselves
        return checks.match_message(records, protocol != "no_camera", where)

    def protocol_of(self, records: list[Record]) -> str | Mapping[str, Any]:
        """Evaluation protocol of these test records."""
        if self.protocol is not None:
            return self.protocol
        is_cut = self.identities is not None or self.max_identities is not None
        return "camera" if is_cut else self.default_protocol

    # MMEngine's dataset --------------------------------------------------------------------------------

    def full_init(self) -> None:
        """Read the records, then keep the integer arrays beside MMEngine's serialised list."""
        if self._fully_initialized:
            return
        serialize, self.serialize_data = self.serialize_data, False
        super().full_init()
        self.serialize_data = serialize
        key = "gt_label" if self.mode == "train" else "pid"
        self.pids = column(self.data_list, key)
        self.camids = column(self.data_list, "camid")
        self.domains = column(self.data_list, "domain")
        if self.on_corrupt == "skip":
            self.corrupt = CorruptImages(len(self.pids))
        if serialize:
            self.data_bytes, self.data_address = self._serialize_data()

    def get_subset_(self, indices: Sequence[int] | int) -> None:
        """Not supported: arrays, labels and samplers belong to the complete list."""
        raise NotImplementedError("Give `indices`, `identities` or `max_identities` to the dataset instead.")

    get_subset = get_subset_

    def __getitem__(self, idx: int) -> dict:
        """Image ``idx`` after the pipeline; under the random state of its draw if ``idx`` has a ``seed``."""
        if not self._fully_initialized:
            self.full_init()
        seed = getattr(idx, "seed", None)
        if seed is None:
            return self.prepare_data(int(idx))
        with isolated_rng(seed):
            return self.prepare_data(int(idx))

    def prepare_data(self, idx: int) -> dict:
        """Load image ``idx``, or what replaces it, and transform it."""
        if not self.pipeline.transforms:
            return self.get_data_info(idx)
        try:
            results = load_image(self.pipeline.transforms[0], self.get_data_info(idx))
        except UnreadableImageError as error:
            if self.on_corrupt == "error":
                raise
            results = self._replace(idx, error)
        for transform in self.pipeline.transforms[1:]:
            results = transform(results)
            if results is None:
                raise ValueError(
                    f"{self.name}: {transform!r} returned None for {self.get_data_info(idx)['img_path']!r}."
                )
        return results

    def _replace(self, idx: int, error: UnreadableImageError) -> dict:
        for candidate in replacements(idx, self.pids, self.domains).tolist():
            try:
                record = self.get_data_info(candidate)
                results = load_image(self.pipeline.transforms[0], record)
            except UnreadableImageError:
                continue
            self.corrupt.add(idx, error, record["img_path"])
            return results
        raise UnreadableImageError(f"{error} No other image of the identity can be read either.")
