"""VIPeR."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmreid_ext.datasets.records import Count, Record, RecordTable
from mmreid_ext.datasets.reid_dataset import ProtocolSpec, ReIDDataset
from mmreid_ext.errors import UserError
from mmreid_ext.registry import DATASETS

_NAME = re.compile(r"(?P<pid>\d+)\D")


@DATASETS.register_module()
class VIPeR(ReIDDataset):
    """VIPeR: 632 identities, one image in each of two cameras.

    Names are ``cam_a/<pid>_<angle>.bmp`` (published) or ``.png``. For testing ``cam_a`` is the
    query and ``cam_b`` the gallery. The test set is all 632 identities with the protocol
    ``'viper'``, ten random halves; ``protocol='camera'`` ranks all 632 at once.

    Gray et al., "Evaluating Appearance Models for Recognition, Reacquisition, and Tracking", PETS
    2007.

    Args:
        *args: See :class:`ReIDDataset`.
        half: 1 or 2 keeps that half of the identities in numeric order (1-316 and 317-632 where
            they are numbered from 1): the common single split 316 x 316 is ``half=2`` for testing.
            None: all.
        **kwargs: See :class:`ReIDDataset`. Training needs ``combine_all=True``.

    Raises:
        ValueError: If ``half`` is none of these.
    """

    title = "viper"
    folder_names = ("VIPeR", "viper/VIPeR", "viper", "VIPeR.v1.0")
    layouts = (("cam_a", "cam_b"),)
    name_form = "001_45.bmp (<identity>_<angle>.bmp)"
    obtain = "request VIPeR from its authors' page and unpack VIPeR.v1.0.zip."
    published = dict(query=Count(632, 632), gallery=Count(632, 632))
    default_protocol = "viper"

    def __init__(self, *args: Any, half: int | None = None, **kwargs: Any) -> None:
        if half not in (None, 1, 2):
            raise UserError(f"VIPeR: half must be 1, 2 or None (all identities), got {half!r}.")
        self.half = half
        super().__init__(*args, **kwargs)

    def read(self, folder: Path) -> list[Record]:
        """Read both cameras."""
        return [
            record
            for camid, (part, role) in enumerate((("cam_a", "query"), ("cam_b", "gallery")))
            for record in self.read_folder(folder / part, role, _NAME, camid)
        ]

    def select(self, records: Sequence[Record]) -> Sequence[Record]:
        """Keep one half, or all."""
        if self.half is not None:
            table = RecordTable.of(records)
            pids = table.ints("pid")
            people = np.unique(pids)
            first, second = np.split(people, [len(people) // 2])
            records = table.take(np.isin(pids, first if self.half == 1 else second))
        return super().select(records)

    def protocol_of(self, records: Sequence[Record]) -> ProtocolSpec:
        """Ten random halves, unless a half was chosen already."""
        return "camera" if self.half and self.protocol is None else super().protocol_of(records)
