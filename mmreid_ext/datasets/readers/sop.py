"""Stanford Online Products, and other sets in its layout."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmreid_ext.datasets.checks.record_checks import require_repeated_identity
from mmreid_ext.datasets.folders import find_folder
from mmreid_ext.datasets.records import Count, Record
from mmreid_ext.datasets.reid_dataset import ReIDDataset
from mmreid_ext.errors import UserError
from mmreid_ext.registry import DATASETS
from mmreid_ext.shorten import one_line

from .ids import whole_number
from .text_file import read_text

_ROLES = ("train", "query")
_HEADER = "image_id class_id super_class_id path"


@DATASETS.register_module()
class SOP(ReIDDataset):
    """Stanford Online Products: 59,551 training and 60,502 test images, no class in both.

    Any of these pairs of lists is read, paths relative to the data set's folder:

    * ``Ebay_train.txt``, ``Ebay_test.txt``: a header line, then ``image_id class_id super_class_id
      path``. The super class is the image's domain with ``domain_from='record'``.
    * ``train_list.txt``, ``test_list.txt`` (PaddleClas): ``path label image_id``, no header.
    * ``train.txt``, ``test.txt`` (XBM's authors): ``path,label``, no header.

    Test images are queries and gallery at once: they all have the role ``'query'``, and the
    protocol ``'sop'`` compares each with all others. There are no cameras: ``camid`` is -1.

    Oh Song et al., "Deep Metric Learning via Lifted Structured Feature Embedding", CVPR 2016,
    https://arxiv.org/abs/1511.06452

    Args:
        *args: See :class:`ReIDDataset`.
        folder: Folder of another set in this layout, within ``data_root``; it is then not compared
            with the published counts, and ``name`` defaults to the folder's.
        **kwargs: See :class:`ReIDDataset`; ``protocol`` defaults to ``'sop'`` for a cut, too.

    Raises:
        FileNotFoundError: If the lists, or the images that they name, are missing.
        ValueError: If a line cannot be read, or (unless ``check=False``) a class or an image is in
            both lists.

    Example:
        >>> dataset = dict(type='mmreid_ext.SOP', mode='test')
        >>> other = dict(type='mmreid_ext.SOP', folder='my_shop')
    """

    title = "sop"
    folder_names: Sequence[str] = (
        "Stanford_Online_Products",
        "stanford_online_products",
        "SOP",
        "sop",
    )
    layouts: Sequence[Sequence[str]] = (
        ("Ebay_train.txt", "Ebay_test.txt"),
        ("train_list.txt", "test_list.txt"),
        ("train.txt", "test.txt"),
    )
    obtain = "download Stanford_Online_Products.zip from its authors' page and unpack it."
    published = dict(train=Count(59551, 11318), query=Count(60502, 11316))
    default_protocol = cut_protocol = "sop"
    unseen = True

    def __init__(self, *args: Any, folder: str | os.PathLike | None = None, **kwargs: Any) -> None:
        self._is_named = folder is not None
        if folder is not None:
            self.folder_names, self.published = (str(folder),), {}
            kwargs["name"] = kwargs.get("name") or Path(folder).name
        super().__init__(*args, **kwargs)

    def find(self) -> Path:
        """Return the data set's folder; that of the option ``folder``, where it is given."""
        return find_folder(
            self.data_folder,
            self.folder_names,
            self.layouts,
            title=self.name,
            obtain=self.obtain,
            exact=self._is_named,
        )

    def read(self, folder: Path) -> list[Record]:
        """Read the first pair of lists that is there."""
        lists = next(
            pair for pair in self.layouts if all((folder / name).is_file() for name in pair)
        )
        self.list_files = lists
        parts = [_read_list(folder / name, role) for name, role in zip(lists, _ROLES, strict=True)]
        self.empty += [
            f"{folder / name} (it lists nothing)"
            for name, part in zip(lists, parts, strict=True)
            if not part
        ]
        return parts[0] + parts[1]

    def check_test(self, records: Sequence[Record], where: str) -> None:
        """Require a class with two images: queries are the gallery."""
        require_repeated_identity(records, where)


def _read_list(file: Path, role: str) -> list[Record]:
    lines = read_text(file).splitlines()
    is_published_form = file.name.startswith("Ebay_")
    if is_published_form and (not lines or lines[0].split() != _HEADER.split()):
        raise UserError(
            f"{file}: the first line is {one_line(lines[0] if lines else '')!r}, expected "
            f"{_HEADER!r}."
        )
    records = []
    for number, line in enumerate(lines[is_published_form:], 1 + is_published_form):
        if line.strip():
            values = _published_line(line) if is_published_form else _labelled_path(line)
            if values is None:
                form = _HEADER if is_published_form else "path,label or path label image_id"
                raise UserError(
                    f"{file}, line {number}: {one_line(line)!r} is not of the form {form}."
                )
            path, pid, domain = values
            records.append(
                dict(img_path=str(file.parent / path), pid=pid, camid=-1, role=role, domain=domain)
            )
    return records


def _published_line(line: str) -> tuple[str, int, int] | None:
    values = line.split(maxsplit=3)
    if len(values) < 4:
        return None
    image, pid, domain = map(whole_number, values[:3])
    if image is None or pid is None or domain is None:
        return None
    return values[3].strip(), pid, domain


def _labelled_path(line: str) -> tuple[str, int, int] | None:
    values = [value.strip() for value in (line.split(",") if "," in line else line.split())]
    if len(values) not in (2, 3) or not values[0]:
        return None
    pid = whole_number(values[1])
    return None if pid is None else (values[0], pid, -1)  # no super class
