"""PKU VehicleID."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmreid_ext.datasets.records import Count, Record
from mmreid_ext.datasets.reid_dataset import ReIDDataset
from mmreid_ext.errors import UserError
from mmreid_ext.registry import DATASETS
from mmreid_ext.shorten import one_line

from .ids import whole_number
from .text_file import read_text

_TEST_IMAGES = {800: 6493, 1600: 13377, 2400: 19777}
_TRAIN = "train_test_split/train_list.txt"


@DATASETS.register_module()
class VehicleID(ReIDDataset):
    """VehicleID: 13,164 vehicles for training, test lists of 800, 1,600 and 2,400 others.

    Lines of the lists are ``<image name> <vehicle>``; the images are ``image/<image name>.jpg``.
    Cameras are not labelled: ``camid`` is -1. The protocol ``'vehicleid'`` takes ten random
    galleries of one image per vehicle, all others are queries. For other protocols the first image
    of a vehicle in the list is the gallery.

    Liu et al., "Deep Relative Distance Learning: Tell the Difference Between Similar Vehicles",
    CVPR 2016, https://doi.org/10.1109/CVPR.2016.238. Counts are those of the lists that are
    distributed. Some papers quote others: 7,332, 12,995 and 20,038 test images, so 6,532 queries
    for 800 vehicles.

    Args:
        *args: See :class:`ReIDDataset`.
        test_size: Number of test vehicles: 800 (small), 1600 (medium) or 2400 (large).
        **kwargs: See :class:`ReIDDataset`; ``protocol`` defaults to ``'vehicleid'`` for a cut, too,
            and ``name`` to ``'vehicleid_<test_size>'``.

    Raises:
        FileNotFoundError: If the lists, or the images that they name, are missing.
        ValueError: If ``test_size`` is another number, or nothing can be read.

    Example:
        >>> dataset = dict(type='mmreid_ext.VehicleID', mode='test', test_size=1600)
    """

    title = "vehicleid"
    folder_names = ("VehicleID_V1.0", "VehicleID", "vehicleid", "PKU-VehicleID", "vehicle_id")
    name_form = "0000001 9 (<image name> <vehicle>, one a line)"
    obtain = "request PKU VehicleID from its authors' page and unpack VehicleID_V1.0."
    default_protocol = cut_protocol = "vehicleid"

    def __init__(self, *args: Any, test_size: int = 800, **kwargs: Any) -> None:
        if test_size not in _TEST_IMAGES:
            raise UserError(
                f"VehicleID: test_size={test_size!r}, must be one of 800, 1600 and 2400."
            )
        self.test_list = f"train_test_split/test_list_{test_size}.txt"
        self.layouts = (("image", _TRAIN, self.test_list),)
        self.published = dict(
            train=Count(113346, 13164),
            query=Count(_TEST_IMAGES[test_size] - test_size),
            gallery=Count(test_size, test_size),
        )
        kwargs.setdefault("name", f"vehicleid_{test_size}")
        super().__init__(*args, **kwargs)

    def read(self, folder: Path) -> list[Record]:
        """Read both lists."""
        self.list_files = (_TRAIN, self.test_list)
        seen: set[int] = set()
        records = self._read_list(folder, _TRAIN, "train")
        for record in self._read_list(folder, self.test_list, "query"):
            if record["pid"] not in seen:
                record["role"] = "gallery"
            seen.add(record["pid"])
            records.append(record)
        return records

    def _read_list(self, folder: Path, list_file: str, role: str) -> list[Record]:
        lines = [line.split() for line in read_text(folder / list_file).splitlines()]
        if not lines:
            self.empty.append(f"{folder / list_file} (it lists nothing)")
        records: list[Record] = []
        for values in filter(None, lines):
            pid = whole_number(values[-1])
            if len(values) != 2 or pid is None:
                self.unparsed.append(f"{list_file}: {one_line(' '.join(values))!r}")
                continue
            path = folder / "image" / f"{values[0].removesuffix('.jpg')}.jpg"
            records.append(dict(img_path=str(path), pid=pid, camid=-1, role=role))
        return records
