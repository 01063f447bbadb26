"""Several data sets as one: for training with disjoint identities, for testing side by side."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from mmengine.logging import print_log

from mmreid_ext.datasets.checks.located import Located
from mmreid_ext.datasets.checks.shared_people import known_to_share, shared_pictures
from mmreid_ext.errors import UserError
from mmreid_ext.registry import DATASETS

from .record_dataset import RecordDataset
from .records import RecordTable


class CombinedDataset(RecordDataset):
    """Records of several data sets in one list, with one pipeline.

    Args:
        sources: Configurations of the data sets (or built ones), without ``mode``, ``loader`` and
            ``pipeline``.
        pipeline: Transforms of all of them.
        mode: ``'train'`` or ``'test'``.
        on_corrupt: See :class:`ReIDDataset`.
        loader: Loader of all of them. See :class:`ReIDDataset`.
        **kwargs: ``indices``, ``lazy_init``, ``serialize_data``, ``metainfo`` of MMEngine's
            ``BaseDataset``.

    Raises:
        ValueError: If there is no source, or two have the same name.
    """

    def __init__(
        self,
        sources: Sequence[dict | RecordDataset],
        pipeline: Sequence = (),
        *,
        mode: str,
        on_corrupt: str = "error",
        loader: Any = None,
        **kwargs: Any,
    ) -> None:
        if not sources:
            raise UserError(f"{type(self).__name__}: `sources` is empty.")
        self.sources = [self._build(source, mode) for source in sources]
        names = [source.name for source in self.sources]
        if len(set(names)) < len(names):
            raise UserError(
                f"{type(self).__name__}: the sources must have different names, got {names}. Give "
                "`name` to some of them."
            )
        super().__init__(" + ".join(names), mode, pipeline, on_corrupt, loader, **kwargs)

    @classmethod
    def _build(cls, source: dict | RecordDataset, mode: str) -> RecordDataset:
        cls._check_kind(source)
        if isinstance(source, RecordDataset):
            if source.mode != mode:
                raise UserError(
                    f"Source {source.name!r} has mode {source.mode!r}, needed: {mode!r}."
                )
            return source
        return DATASETS.build({**source, "mode": mode, "lazy_init": True})

    @classmethod
    def _check_kind(cls, source: Any) -> None:
        """Refuse wrappers and combinations before MMEngine calls them with a reader's options."""
        is_config = isinstance(source, Mapping)
        kind = source.get("type") if is_config else type(source)
        if isinstance(kind, str):
            kind = DATASETS.get(kind)  # None: not registered, which MMEngine says best
        if not isinstance(kind, type):
            if is_config:
                return
            kind = type(source)
        if issubclass(kind, CombinedDataset) or not issubclass(kind, RecordDataset):
            raise UserError(
                f"{cls.__name__}: sources holds {kind.__name__}, which is no reader of one data "
                "set; give the readers themselves, without a wrapper."
            )

    def source_records(self) -> list[RecordTable]:
        """Return the records of every source; to put columns into them changes no source."""
        tables = [source.table for source in self.sources]
        return [RecordTable(table.columns, len(table)) for table in tables]


@DATASETS.register_module()
class MultiSourceDataset(CombinedDataset):
    """Training set of several data sets, their identities and cameras disjoint, a domain for each.

    Labels, cameras and domains of source ``s`` are shifted by the numbers of the sources before it.
    A source with ``domain_from='camera'`` brings one domain per camera. ``pid`` in the records
    stays the original.

    Args:
        sources: Configurations of readers, without ``mode``, ``loader`` and ``pipeline``. Their
            order gives the domain numbers.
        pipeline: Transforms of all of them.
        **kwargs: ``loader`` and ``on_corrupt`` (see :class:`ReIDDataset`); ``indices``,
            ``lazy_init``, ``serialize_data``, ``metainfo`` of MMEngine's ``BaseDataset``.

    Raises:
        ValueError: If there is no source, two have the same name, or two share pictures.

    Example:
        >>> dataset = dict(
        ...     type='mmreid_ext.MultiSourceDataset',
        ...     sources=[dict(type='mmreid_ext.Market1501', combine_all=True),
        ...              dict(type='mmreid_ext.CUHK02', combine_all=True)],
        ...     loader=dict(type='mmreid_ext.LoadResized', scale=(128, 256)),
        ...     pipeline=train_pipeline)
    """

    def __init__(
        self, sources: Sequence[dict | RecordDataset], pipeline: Sequence = (), **kwargs: Any
    ):
        super().__init__(sources, pipeline, mode="train", **kwargs)

    def load_data_list(self) -> RecordTable:  # type: ignore[override]  # it reads like a list
        """Shift labels, cameras and domains of every source behind those before it."""
        labels, cameras, domains = 0, 0, 0
        parts = self.source_records()
        self._check_sources(parts)
        for source, part in zip(self.sources, parts, strict=True):
            camids = part.ints("camid")
            camids = np.where(camids >= 0, camids + cameras, camids)
            part.put("gt_label", part.ints("gt_label") + labels)
            part.put("domain", part.ints("domain") + domains)
            part.put("camid", camids)
            labels += source.num_classes
            domains += source.num_domains
            cameras = max(cameras, int(camids.max(initial=-1)) + 1)
        self.num_classes, self.num_domains = labels, domains
        return RecordTable.joined(parts)

    def _check_sources(self, parts: list[RecordTable]) -> None:
        """Refuse sources that share pictures; warn of sets that are known to share people.

        Contents are compared where a source asks for it, for all sources then.
        """
        by_content = any(getattr(s, "compare_files", "path") == "content" for s in self.sources)
        pairs = zip(self.sources, parts, strict=True)
        shared = shared_pictures({source.name: Located(t, by_content) for source, t in pairs})
        if shared:
            raise UserError(f"{type(self).__name__}: {' '.join(shared)}")
        for one, other in itertools.permutations(self.sources, 2):
            known = known_to_share(one, other)
            if known:
                print_log(
                    f"{type(self).__name__}: sources {one.name!r} and {other.name!r} share people "
                    f"({known}); they would be trained as different ones. Take one of them out.",
                    logger="current",
                    level=logging.WARNING,
                )


@DATASETS.register_module()
class BenchmarkSuite(CombinedDataset):
    """Several test sets as one: one data loader, one metric, one row per set in the table.

    Records keep their own ``pid`` and ``camid``; ``dataset`` says which set an image belongs to,
    and ``metainfo['test_sets']`` holds the protocol of each.

    Args:
        sources: Configurations of readers, without ``mode``, ``loader`` and ``pipeline``.
        pipeline: Transforms of all of them.
        **kwargs: ``loader`` (see :class:`ReIDDataset`); ``lazy_init``, ``serialize_data``,
            ``metainfo`` of MMEngine's ``BaseDataset``.

    Raises:
        ValueError: If there is no source, or two have the same name.
    """

    def __init__(
        self, sources: Sequence[dict | RecordDataset], pipeline: Sequence = (), **kwargs: Any
    ):
        super().__init__(sources, pipeline, mode="test", **kwargs)

    def load_data_list(self) -> RecordTable:  # type: ignore[override]  # it reads like a list
        """Append the sets; the domain is the number of the set."""
        parts, test_sets = self.source_records(), {}
        for domain, (source, part) in enumerate(zip(self.sources, parts, strict=True)):
            part.put("domain", np.full(len(part), domain))
            test_sets.update(source.metainfo["test_sets"])
        self._metainfo["test_sets"] = test_sets
        self.num_classes = sum(source.num_classes for source in self.sources)
        self.num_domains = len(self.sources)
        return RecordTable.joined(parts)
