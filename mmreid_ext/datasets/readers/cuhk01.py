"""CUHK01."""

from __future__ import annotations

import re
from pathlib import Path

from mmreid_ext.datasets.records import Count, Record
from mmreid_ext.datasets.reid_dataset import ReIDDataset
from mmreid_ext.registry import DATASETS

_NAME = re.compile(r"(?P<pid>\d{4})(?P<cam>\d{3})\.")


@DATASETS.register_module()
class CUHK01(ReIDDataset):
    """CUHK01: 971 identities, two cameras, two shots in each.

    Names are ``campus/<pid:4><shot:3>.png``, or the same without ``campus``; shots 1 and 2 are of
    camera A, 3 and 4 of camera B. For testing camera A is the query and camera B the gallery.

    Li et al., "Human Reidentification with Transferred Metric Learning", ACCV 2012,
    https://doi.org/10.1007/978-3-642-37331-2_3

    Args:
        *args: See :class:`ReIDDataset`.
        **kwargs: See :class:`ReIDDataset`. Training needs ``combine_all=True``.
    """

    title = "cuhk01"
    folder_names = ("CUHK01", "cuhk01", "CUHK01/CUHK01")
    layouts = (("campus",), ("0001001.png",))
    name_form = "0001003.png (<identity:4><shot:3>.png)"
    obtain = "request CUHK01 from its authors' page and unpack CUHK01.zip."
    published = dict(query=Count(1942, 971), gallery=Count(1942, 971))

    def read(self, folder: Path) -> list[Record]:
        """Read the one folder."""
        campus = folder / "campus"
        records = []
        for record in self.read_folder(campus if campus.is_dir() else folder, "query", _NAME):
            if record["camid"] >= 2:  # the third and fourth shot
                record["role"] = "gallery"
            record["camid"] //= 2
            records.append(record)
        return records
