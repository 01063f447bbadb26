"""Market-1501."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from mmreid_ext.datasets.records import Count, Record
from mmreid_ext.datasets.reid_dataset import ReIDDataset
from mmreid_ext.registry import DATASETS

_JUNK = -1


@DATASETS.register_module()
class Market1501(ReIDDataset):
    """Market-1501: 751 training and 750 test identities, six cameras.

    Names are ``<pid>_c<camera>s<sequence>_<frame>_<box>.jpg``. Boxes named ``-1`` are junk that
    belongs to neither side and are dropped; ``0000`` are distractors and stay in the gallery.

    Zheng et al., "Scalable Person Re-identification: A Benchmark", ICCV 2015,
    https://doi.org/10.1109/ICCV.2015.133

    Args:
        *args: See :class:`ReIDDataset`.
        **kwargs: See :class:`ReIDDataset`.
    """

    title = "market1501"
    folder_names: Sequence[str] = (
        "Market-1501-v15.09.15",
        "market1501/Market-1501-v15.09.15",
        "market1501",
        "Market-1501",
    )
    layouts = (("bounding_box_train", "query", "bounding_box_test"),)
    name_form = "0002_c1s1_000451_03.jpg (<identity>_c<camera>...)"
    obtain = "request Market-1501 from its authors' page and unpack Market-1501-v15.09.15.zip."
    published = dict(train=Count(12936, 751), query=Count(3368, 750), gallery=Count(15913, 750))
    distractor_pids = frozenset({0})
    pattern = re.compile(r"(?P<pid>-1|\d+)_c(?P<cam>\d+)")
    parts = dict(train="bounding_box_train", query="query", gallery="bounding_box_test")

    def read(self, folder: Path) -> Iterable[Record]:
        """Read the three folders."""
        return (
            record
            for role, part in self.parts.items()
            for record in self.read_folder(folder / part, role, self.pattern)
            if record["pid"] != _JUNK
        )
