"""CUHK-SYSU: people cut out of the pictures of a set for person search."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from mmreid_ext.datasets.records import Count, Record
from mmreid_ext.datasets.reid_dataset import ReIDDataset
from mmreid_ext.errors import UserError
from mmreid_ext.registry import DATASETS
from mmreid_ext.shorten import one_line

from .ids import whole_number

_NAME = re.compile(r"p(?P<pid>\d+)_")
_PERSONS = "annotation/Person.mat"
_SCENES = "Image/SSM"


@DATASETS.register_module()
class CUHKSYSU(ReIDDataset):
    """Boxes of CUHK-SYSU, a set for person search: 11,934 identities, training only.

    Two layouts are read:

    * ``cropped_images/p<pid>_s<scene>_<number>.jpg`` (or ``cropped_image/….png``), as the cropping
      scripts of the domain generalisation literature write them.
    * The download: ``annotation/Person.mat`` with the boxes, ``Image/SSM`` with the pictures that
      they lie in. Each box is cut out when it is loaded, both end pixels included, as by those
      scripts. A whole picture is decoded for each box, so the crops are faster.

    Street snaps and films have no camera labels: ``camid`` is -1.

    Xiao et al., "Joint Detection and Identification Feature Learning for Person Search", CVPR 2017,
    https://arxiv.org/abs/1604.01850

    Args:
        *args: See :class:`ReIDDataset`.
        **kwargs: See :class:`ReIDDataset`.

    Raises:
        FileNotFoundError: If neither layout is complete.
        ValueError: If ``Person.mat`` is another file.
    """

    title = "cuhk_sysu"
    folder_names = ("CUHK-SYSU", "cuhk_sysu", "CUHK_SYSU", "cuhk-sysu", "cuhksysu")
    layouts = (("cropped_images",), ("cropped_image",), (_PERSONS, _SCENES))
    name_form = "p1_s3_1.jpg (p<identity>_s<scene>_...)"
    obtain = (
        "request CUHK-SYSU from its authors' page and unpack it, or cut the annotated persons out "
        "into cropped_images/p<pid>_s<scene>_<number>.jpg."
    )
    published = dict(train=Count(34574, 11934))

    def read(self, folder: Path) -> list[Record]:
        """Read the crops, or else the boxes of the download."""
        for name, *_ in self.layouts[:2]:
            if (folder / name).is_dir():
                return list(self.read_folder(folder / name, "train", _NAME, camid=-1))
        self.list_files = (_PERSONS,)
        return _read_boxes(folder / _PERSONS, folder / _SCENES)


def _read_boxes(file: Path, scenes: Path) -> list[Record]:
    """Read every appearance of every person.

    MATLAB counts pixels from 1, and its range x:x+w has w + 1 of them.
    """
    from scipy.io import loadmat  # heavy, and needed for this layout only

    records: list[Record] = []
    try:
        for person in np.atleast_1d(loadmat(file, simplify_cells=True)["Person"]):
            pid = whole_number(person["idname"].removeprefix("p"))
            if pid is None:
                raise ValueError(f"idname is {one_line(person['idname'])!r}")
            for scene in np.atleast_1d(person["scene"]):
                x, y, w, h = (float(number) for number in scene["idlocate"])
                path, box = str(scenes / str(scene["imname"])), (x - 1, y - 1, w + 1, h + 1)
                record: dict[str, Any] = dict(img_path=path, box=box, pid=pid, camid=-1)
                records.append(record | {"role": "train"})
    except PermissionError:
        raise
    except Exception as error:  # SciPy has five kinds for a wrong file, one a bare Exception
        raise UserError(
            f"{file} is not CUHK-SYSU's list of persons ({type(error).__name__}: "
            f"{one_line(str(error))}); take it from the published archive."
        ) from error
    return records
