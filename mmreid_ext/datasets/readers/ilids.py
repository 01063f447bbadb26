"""QMUL i-LIDS."""

from __future__ import annotations

import re
from pathlib import Path

from mmreid_ext.datasets.records import Count, Record
from mmreid_ext.datasets.reid_dataset import ReIDDataset
from mmreid_ext.registry import DATASETS

_NAME = re.compile(r"(?P<pid>\d{4})(?P<cam>\d{3})\.")


@DATASETS.register_module()
class ILIDS(ReIDDataset):
    """i-LIDS: 476 images of 119 persons in an airport hall.

    Names are ``Persons/<pid:4><number:3>.jpg``, or the same without ``Persons``. Cameras are not
    labelled; as in the literature the number of the image stands for one, so any two images of a
    person may meet. The protocol ``'ilids'`` takes ten random sets of 60 persons with one query and
    one gallery image each; for other protocols the first image of a person is the query, the others
    are the gallery.

    Zheng et al., "Associating Groups of People", BMVC 2009, https://doi.org/10.5244/C.23.23

    Args:
        *args: See :class:`ReIDDataset`.
        **kwargs: See :class:`ReIDDataset`. Training needs ``combine_all=True``.
    """

    title = "ilids"
    folder_names = (
        "i-LIDS_Pedestrian",
        "ilids/i-LIDS_Pedestrian",
        "QMUL-iLIDS/i-LIDS_Pedestrian",
        "ilids",
        "i-LIDS",
    )
    layouts = (("Persons",), ("0001001.jpg",))
    name_form = "0001001.jpg (<identity:4><number:3>.jpg)"
    obtain = "request QMUL i-LIDS from its authors' page and unpack i-LIDS_Pedestrian.tgz."
    published = dict(query=Count(119, 119), gallery=Count(357, 119))
    default_protocol = "ilids"

    def read(self, folder: Path) -> list[Record]:
        """Read the one folder, in which the images of a person follow one another."""
        persons = folder / "Persons"
        records, seen = [], set()
        for record in self.read_folder(persons if persons.is_dir() else folder, "query", _NAME):
            if record["pid"] in seen:
                record["role"] = "gallery"
            seen.add(record["pid"])
            records.append(record)
        return records
