"""MSMT17."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmreid_ext.datasets.records import Count, Record, with_test_numbered_from
from mmreid_ext.datasets.reid_dataset import ReIDDataset
from mmreid_ext.registry import DATASETS
from mmreid_ext.shorten import one_line

from .ids import whole_number
from .text_file import read_text

# Market-1501's way, <pid>_c<camera>_..., or the published one, <pid>_<number>_<camera>_...
_FOLDER_NAME = re.compile(r"(?P<pid>\d+)_(?:c|\d{3}_)(?P<cam>\d+)")
_LISTED_NAME = re.compile(r"\d+_\d+_(?P<cam>\d+)_")
_LISTS = ("list_train.txt", "list_val.txt", "list_query.txt", "list_gallery.txt")
_PARTS = dict(train="bounding_box_train", query="query", gallery="bounding_box_test")
_TEST_PID_STEP = 10000


@DATASETS.register_module()
class MSMT17(ReIDDataset):
    """MSMT17: 1,041 training and 3,060 test identities, fifteen cameras.

    Three layouts are read: the published V1 (``train``, ``test`` and lists ``<path> <pid>``), V2
    (``mask_train_v2``, ``mask_test_v2``, faces blurred, the same lists), and V1 rearranged like
    Market-1501 (``bounding_box_train``, ``query``, ``bounding_box_test`` with names
    ``<pid>_c<camera>_<...>.jpg``, as PaddleClas wants it, or with the published names). In those
    the camera is the third number. Lists are separated by blanks or tabs.

    Training and test number their identities from 0 independently; ``combine_all`` adds 10000 to
    those of the test part.

    Wei et al., "Person Transfer GAN to Bridge Domain Gap for Person Re-Identification", CVPR 2018,
    https://arxiv.org/abs/1711.08565

    Args:
        *args: See :class:`ReIDDataset`.
        with_val: Whether the list ``list_val.txt`` belongs to training, as in the published count
            of 32,621 images. Defaults to True.
        **kwargs: See :class:`ReIDDataset`.
    """

    title = "msmt17"
    folder_names = (
        "MSMT17_V1",
        "MSMT17_V2",
        "msmt17/MSMT17_V1",
        "msmt17/MSMT17_V2",
        "MSMT17",
        "msmt17",
    )
    layouts = (
        ("train", "test", *_LISTS),
        ("mask_train_v2", "mask_test_v2", *_LISTS),
        tuple(_PARTS.values()),
    )
    name_form = "0000_000_01_0303morning_0008_0.jpg, or 0000_c1_0000.jpg; lists: <path> <pid>"
    numbered_apart = True
    obtain = "request MSMT17 from its authors' page and unpack MSMT17_V1 or MSMT17_V2."
    published = dict(train=Count(32621, 1041), query=Count(11659, 3060), gallery=Count(82161, 3060))

    def __init__(self, *args: Any, with_val: bool = True, **kwargs: Any) -> None:
        self.with_val = with_val
        if not with_val:
            self.published = {**self.published, "train": Count(30248, 1041)}
        super().__init__(*args, **kwargs)

    def read(self, folder: Path) -> list[Record]:
        """Read whichever layout is there."""
        if not (folder / _LISTS[0]).is_file():
            return [
                record
                for role, part in _PARTS.items()
                for record in self.read_folder(folder / part, role, _FOLDER_NAME)
            ]
        self.list_files = _LISTS
        blurred = (folder / "mask_train_v2").is_dir()
        train = folder / ("mask_train_v2" if blurred else "train")
        test = folder / ("mask_test_v2" if blurred else "test")
        records = self._read_list(folder / "list_train.txt", train, "train")
        if self.with_val:
            records += self._read_list(folder / "list_val.txt", train, "train")
        records += self._read_list(folder / "list_query.txt", test, "query")
        return records + self._read_list(folder / "list_gallery.txt", test, "gallery")

    def _read_list(self, file: Path, base: Path, role: str) -> list[Record]:
        records = []
        lines = read_text(file).splitlines()
        if not lines and file.name != "list_val.txt":  # validation is often merged into training
            self.empty.append(f"{file} (it lists nothing)")
        for line in lines:
            path, _, pid = line.strip().replace("\t", " ").rpartition(" ")
            path = path.rstrip()
            found = _LISTED_NAME.match(path.rpartition("/")[2])
            number = whole_number(pid)
            if found is None or number is None:
                if line.strip():
                    self.unparsed.append(f"{file.name}: {one_line(line.strip())!r}")
                continue
            camid = int(found["cam"]) - 1
            records.append(dict(img_path=str(base / path), pid=number, camid=camid, role=role))
        return records

    def select(self, records: Sequence[Record]) -> Sequence[Record]:
        """Keep identities of the two parts apart where both are trained on."""
        if self.mode == "train" and self.combine_all:
            records = with_test_numbered_from(records, _TEST_PID_STEP)
        return super().select(records)
