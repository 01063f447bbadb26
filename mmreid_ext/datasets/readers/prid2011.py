"""PRID2011, single shot."""

from __future__ import annotations

import re
from pathlib import Path

from mmreid_ext.datasets.records import Count, Record
from mmreid_ext.datasets.reid_dataset import ReIDDataset
from mmreid_ext.registry import DATASETS

_NAME = re.compile(r"person_(?P<pid>\d+)\.")
_LAST_PAIRED = 200
_LAST = 749


@DATASETS.register_module()
class PRID2011(ReIDDataset):
    """PRID2011: 200 persons seen by both cameras, one image each, and 549 others in camera B.

    Names are ``single_shot/cam_<a|b>/person_<pid:4>.png``. Camera A is the query (its persons above
    200 are nobody of camera B, whatever their number, and are left out), camera B the gallery with
    201-749 as distractors. The protocol ``'prid2011'`` takes ten random sets of 100 queries, each
    against 100 + 549 gallery images.

    Hirzer et al., "Person Re-identification by Descriptive and Discriminative Classification",
    SCIA 2011, https://doi.org/10.1007/978-3-642-21227-7_9

    Args:
        *args: See :class:`ReIDDataset`.
        **kwargs: See :class:`ReIDDataset`. Training (on the 200) needs ``combine_all=True``.
    """

    title = "prid2011"
    folder_names = (
        "prid_2011",
        "PRID2011/prid_2011",
        "prid2011/prid_2011",
        "PRID2011",
        "prid2011",
        "prid",
    )
    layouts = (("single_shot/cam_a", "single_shot/cam_b"), ("cam_a", "cam_b"))
    name_form = "person_0001.png (person_<identity:4>.png)"
    obtain = "request PRID 2011 from its authors' page (TU Graz) and unpack prid_2011.zip."
    published = dict(query=Count(200, 200), gallery=Count(749, 200))
    default_protocol = "prid2011"
    distractor_pids = frozenset(range(_LAST_PAIRED + 1, _LAST + 1))

    def read(self, folder: Path) -> list[Record]:
        """Read both cameras."""
        base = folder / "single_shot" if (folder / "single_shot").is_dir() else folder
        query = self.read_folder(base / "cam_a", "query", _NAME, camid=0)
        gallery = self.read_folder(base / "cam_b", "gallery", _NAME, camid=1)
        return [record for record in query if record["pid"] <= _LAST_PAIRED] + list(gallery)
