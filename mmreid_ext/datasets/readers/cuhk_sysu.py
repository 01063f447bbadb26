"""CUHK-SYSU, cropped."""

from __future__ import annotations

import re
from pathlib import Path

from mmreid_ext.datasets.records import Count, Record
from mmreid_ext.datasets.reid_dataset import ReIDDataset
from mmreid_ext.registry import DATASETS

_NAME = re.compile(r"p(?P<pid>\d+)_")


@DATASETS.register_module()
class CUHKSYSU(ReIDDataset):
    """Boxes cut out of CUHK-SYSU, a set for person search: 11,934 identities, training only.

    Names are ``cropped_images/p<pid>_s<scene>_<number>.jpg``, as the cropping scripts of the domain
    generalisation literature write them (boxes include both end pixels). Street snaps and films
    have no camera labels: ``camid`` is -1.

    Xiao et al., "Joint Detection and Identification Feature Learning for Person Search", CVPR 2017,
    https://arxiv.org/abs/1604.01850

    Args:
        *args: See :class:`ReIDDataset`.
        **kwargs: See :class:`ReIDDataset`.
    """

    title = "cuhk_sysu"
    folder_names = ("CUHK-SYSU", "cuhk_sysu", "CUHK_SYSU", "cuhk-sysu", "cuhksysu")
    layouts = (("cropped_images",), ("cropped_image",))
    name_form = "p1_s3_1.jpg (p<identity>_s<scene>_...)"
    obtain = (
        "request CUHK-SYSU from its authors' page, then cut the annotated persons out into "
        "cropped_images/p<pid>_s<scene>_<number>.jpg."
    )
    published = dict(train=Count(34574, 11934))

    def read(self, folder: Path) -> list[Record]:
        """Read the one folder."""
        base = next(folder / layout[0] for layout in self.layouts if (folder / layout[0]).is_dir())
        return list(self.read_folder(base, "train", _NAME, camid=-1))
