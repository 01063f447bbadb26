"""Market-1501."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.logging import print_log

from mmreid_ext.datasets.records import Count, Record, RecordTable, column
from mmreid_ext.datasets.reid_dataset import ReIDDataset
from mmreid_ext.registry import DATASETS
from mmreid_ext.shorten import shorten

_JUNK = -1
_DRAWN = "gt_bbox"


@DATASETS.register_module()
class Market1501(ReIDDataset):
    """Market-1501: 751 training and 750 test identities, six cameras.

    Names are ``<pid>_c<camera>s<sequence>_<frame>_<box>.jpg``. Boxes named ``-1`` are junk that
    belongs to neither side and are dropped; ``0000`` are distractors and stay in the gallery.

    Zheng et al., "Scalable Person Re-identification: A Benchmark", ICCV 2015,
    https://doi.org/10.1109/ICCV.2015.133

    Args:
        *args: See :class:`ReIDDataset`.
        multi_query: Whether to ask with all hand-drawn boxes (folder ``gt_bbox``) of each query's
            identity and camera instead of the query alone. They are averaged by the protocol
            ``'multi_query'``, which is the default then; ``name`` defaults to
            ``'market1501_multi_query'``.
        **kwargs: See :class:`ReIDDataset`.
    """

    title = "market1501"
    folder_names: Sequence[str] = (
        "Market-1501-v15.09.15",
        "market1501/Market-1501-v15.09.15",
        "market1501",
        "Market-1501",
    )
    layouts: Sequence[Sequence[str]] = (("bounding_box_train", "query", "bounding_box_test"),)
    name_form = "0002_c1s1_000451_03.jpg (<identity>_c<camera>...)"
    obtain = "request Market-1501 from its authors' page and unpack Market-1501-v15.09.15.zip."
    published = dict(train=Count(12936, 751), query=Count(3368, 750), gallery=Count(15913, 750))
    distractor_pids = frozenset({0})
    pattern = re.compile(r"(?P<pid>-1|\d+)_c(?P<cam>\d+)")
    parts = dict(train="bounding_box_train", query="query", gallery="bounding_box_test")

    def __init__(self, *args: Any, multi_query: bool = False, **kwargs: Any) -> None:
        self.multi_query = multi_query
        if multi_query:
            self.layouts = tuple((*layout, _DRAWN) for layout in self.layouts)
            self.default_protocol = self.cut_protocol = "multi_query"
            kwargs.setdefault("name", f"{self.title}_multi_query")
        super().__init__(*args, **kwargs)

    def read(self, folder: Path) -> Iterable[Record]:
        """Read the three folders."""
        return (
            record
            for role, part in self.parts.items()
            for record in self.read_folder(folder / part, role, self.pattern)
            if record["pid"] != _JUNK
        )

    def select(self, records: Sequence[Record]) -> Sequence[Record]:
        """Put the hand-drawn boxes in the place of the queries, if that was asked for."""
        kept = super().select(records)
        if self.mode == "train" or not self.multi_query:
            return kept
        table = RecordTable.of(kept)
        is_query = table.equal("role", "query")
        queries = table.take(is_query)
        asked = list(zip(*(column(queries, key).tolist() for key in ("pid", "camid")), strict=True))
        wanted, boxes = set(asked), []
        for record in self.read_folder(self.find() / _DRAWN, "query", self.pattern):
            if (record["pid"], record["camid"]) in wanted:
                boxes.append(record)
        drawn = {(record["pid"], record["camid"]) for record in boxes}
        alone = np.array([i for i, pair in enumerate(asked) if pair not in drawn], dtype=np.int64)
        if len(alone):
            paths = shorten(queries.take(alone).paths())
            print_log(
                f"{self.name}: {_DRAWN} has no picture for {len(alone)} of {len(asked)} queries "
                f"({paths}); they are asked alone. Scores do not compare with published ones.",
                logger="current",
                level=logging.WARNING,
            )
        parts = [RecordTable.of(boxes)] if boxes else []
        return RecordTable.joined([*parts, queries.take(alone), table.take(~is_query)])
