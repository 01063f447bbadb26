"""CUHK02."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mmreid_ext.datasets.records import Count, Record
from mmreid_ext.datasets.reid_dataset import ReIDDataset
from mmreid_ext.registry import DATASETS

_NAME = re.compile(r"(?P<pid>\d+)_")
_PAIRS = 5
_PID_STEP = 10000


@DATASETS.register_module()
class CUHK02(ReIDDataset):
    """CUHK02: 1,816 identities in five pairs of cameras, two shots per camera.

    Names are ``Dataset/P<pair>/cam<1|2>/<pid>_<...>.png``. Every pair counts its identities from 1;
    ``pid`` is ``10000 * pair + number``, cameras count through, 0 to 9. Pairs 1-4 are for
    training; of pair 5 the first camera is the query and the second the gallery.

    Li and Wang, "Locally Aligned Feature Transforms across Views", CVPR 2013,
    https://doi.org/10.1109/CVPR.2013.461

    Args:
        *args: See :class:`ReIDDataset`.
        **kwargs: See :class:`ReIDDataset`.
    """

    title = "cuhk02"
    folder_names = ("CUHK02", "cuhk02", "CUHK02/Dataset", "cuhk02/Dataset")
    layouts = (
        tuple(f"Dataset/P{pair}" for pair in range(1, _PAIRS + 1)),
        tuple(f"P{pair}" for pair in range(1, _PAIRS + 1)),
    )
    name_form = "001_1001.png (<identity>_...)"
    obtain = "request CUHK02 from its authors' page and unpack CUHK02.zip."
    published = dict(train=Count(6308, 1577), query=Count(478, 239), gallery=Count(478, 239))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.mode == "train":  # camera pair P1 is never tested
            self.overlapping = {"cuhk01": "camera pair P1 of CUHK02 is CUHK01"}

    def read(self, folder: Path) -> list[Record]:
        """Read the ten camera folders."""
        base = folder / "Dataset" if (folder / "Dataset").is_dir() else folder
        records = []
        for camid in range(2 * _PAIRS):
            pair, view = camid // 2 + 1, camid % 2 + 1
            role = "train" if pair < _PAIRS else ("query", "gallery")[view - 1]
            for record in self.read_folder(base / f"P{pair}" / f"cam{view}", role, _NAME, camid):
                record["pid"] += pair * _PID_STEP
                records.append(record)
        return records
