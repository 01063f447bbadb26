"""DeepFashion In-shop Clothes Retrieval."""

from __future__ import annotations

import re
from pathlib import Path

from mmreid_ext.datasets.records import Count, Record
from mmreid_ext.datasets.reid_dataset import ReIDDataset
from mmreid_ext.errors import UserError
from mmreid_ext.registry import DATASETS
from mmreid_ext.shorten import one_line, shorten

from .ids import whole_number
from .text_file import read_text

_ITEM = re.compile(r"/id_(?P<pid>\d+)/")
_LIST = "Eval/list_eval_partition.txt"
_ROLES = ("train", "query", "gallery")


@DATASETS.register_module()
class InShop(ReIDDataset):
    """DeepFashion In-shop Clothes Retrieval: 3,997 training and 3,985 test items.

    MMPretrain's ``InShop`` reads the list; here its three splits become the records of one data set
    with the items as identities, evaluated under the protocol ``'in_shop'``. MMPretrain labels the
    training items only, so the item's number comes from the image's folder (``id_00000001``). There
    are no cameras: ``camid`` is -1.

    Liu et al., "DeepFashion: Powering Robust Clothes Recognition and Retrieval with Rich
    Annotations", CVPR 2016, https://doi.org/10.1109/CVPR.2016.124

    Args:
        *args: See :class:`ReIDDataset`.
        **kwargs: See :class:`ReIDDataset`; ``protocol`` defaults to ``'in_shop'`` for a cut, too.

    Raises:
        ValueError: If folders and list disagree on which item an image shows, or if the list is cut
            off or not of its published form.
    """

    title = "in_shop"
    folder_names = (
        "In-shop Clothes Retrieval Benchmark",
        "In-shop_Clothes_Retrieval_Benchmark",
        "inshop",
        "in_shop",
        "InShop",
    )
    layouts = ((_LIST, "Img/img"),)
    obtain = (
        "request the In-shop Clothes Retrieval Benchmark of DeepFashion from its authors' page; "
        "unpack Img/img.zip and Eval/list_eval_partition.txt."
    )
    published = dict(train=Count(25882, 3997), query=Count(14218, 3985), gallery=Count(12612, 3985))
    default_protocol = cut_protocol = "in_shop"

    def read(self, folder: Path) -> list[Record]:
        """Read the three splits through MMPretrain."""
        from mmpretrain.datasets import InShop as InShopSplit  # heavy

        _check_list(folder / _LIST)
        self.list_files = (_LIST,)
        splits = {
            role: InShopSplit(str(folder), split=role, lazy_init=True).load_data_list()
            for role in _ROLES
        }
        _check_items(splits["train"], splits["query"], splits["gallery"], self.name)
        return [
            dict(img_path=image["img_path"], pid=_item(image), camid=-1, role=role)
            for role, images in splits.items()
            for image in images
        ]


def _check_list(file: Path) -> None:
    """Find what MMPretrain would stumble over, or not notice."""
    lines = read_text(file).splitlines()
    items: dict[str, set[str]] = {role: set() for role in _ROLES}
    for number, line in enumerate(lines[2:], 3):
        values = line.split()
        if len(values) != 3 or values[2] not in _ROLES:
            raise UserError(
                f"{file}, line {number}: {one_line(line)!r} is not of the form image_name item_id "
                f"evaluation_status, with blanks between them and one of {', '.join(_ROLES)} last."
            )
        items[values[2]].add(values[1])
    promised = lines[0].strip() if lines else ""
    if promised != str(max(len(lines) - 2, 0)) or len(lines) < 3:
        raise UserError(
            f"{file}: the first line must be the number of images, it is {one_line(promised)!r}, "
            f"and {max(len(lines) - 2, 0)} images are listed after the two lines of the head. Is "
            "the file cut off?"
        )
    alone = sorted(items["query"] - items["gallery"])
    if alone:
        raise UserError(
            f"{file}: {len(alone)} items are queries without a gallery image: {shorten(alone)}. "
            "Take the list from the published archive."
        )


def _item(image: dict) -> int:
    found = _ITEM.search(image["img_path"].replace("\\", "/"))
    pid = whole_number(found["pid"]) if found else None
    if pid is None:
        raise UserError(
            f"{one_line(image['img_path'], 300)} does not lie in a folder like id_00000001."
        )
    return pid


def _check_items(train: list[dict], query: list[dict], gallery: list[dict], name: str) -> None:
    """Compare the folders' items with MMPretrain's labels, which come from the list."""
    items = {(image["gt_label"], _item(image)) for image in train}
    is_one_to_one = len(items) == len(dict(items)) == len({item for _, item in items})
    in_gallery = [_item(image) for image in gallery]
    matches = all(
        in_gallery[match] == _item(image) for image in query for match in image["gt_label"]
    )
    if not (is_one_to_one and matches):
        raise UserError(
            f"{name}: the list names another item than the image's folder for some images; take "
            "images and list from the same release."
        )
