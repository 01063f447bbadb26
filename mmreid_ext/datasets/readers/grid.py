"""QMUL underGround Re-IDentification (GRID)."""

from __future__ import annotations

import re
from pathlib import Path

from mmreid_ext.datasets.records import Count, Record
from mmreid_ext.datasets.reid_dataset import ReIDDataset
from mmreid_ext.registry import DATASETS

_NAME = re.compile(r"(?P<pid>\d+)_(?P<cam>\d+)_")


@DATASETS.register_module()
class GRID(ReIDDataset):
    """GRID: 250 persons with one image in each of two views, and 775 others in the gallery.

    Names are ``probe|gallery/<pid:4>_<camera>_<...>.jpeg``; ``0000`` are distractors. The protocol
    ``'grid'`` takes ten random halves: 125 queries against 125 + 775 gallery images (give it the
    set's own ``features_and_partitions.mat`` for the published halves).

    Loy et al., "Multi-Camera Activity Correlation Analysis", CVPR 2009,
    https://doi.org/10.1109/CVPR.2009.5206827

    Args:
        *args: See :class:`ReIDDataset`.
        **kwargs: See :class:`ReIDDataset`. Training (on the 250) needs ``combine_all=True``.
    """

    title = "grid"
    folder_names = (
        "underground_reid",
        "GRID/underground_reid",
        "grid/underground_reid",
        "QMUL-GRID/underground_reid",
        "grid",
        "QMUL-GRID",
    )
    layouts = (("probe", "gallery"),)
    name_form = "0001_1_25004_107_32_106_221.jpeg (<identity>_<camera>_...)"
    obtain = "request QMUL GRID from its authors' page and unpack underground_reid.zip."
    published = dict(query=Count(250, 250), gallery=Count(1025, 250))
    default_protocol = "grid"
    distractor_pids = frozenset({0})

    def read(self, folder: Path) -> list[Record]:
        """Read both folders."""
        return [
            *self.read_folder(folder / "probe", "query", _NAME),
            *self.read_folder(folder / "gallery", "gallery", _NAME),
        ]
