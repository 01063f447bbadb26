"""CUHK03."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmreid_ext.datasets.records import Count, Record, RecordTable, with_test_numbered_from
from mmreid_ext.datasets.reid_dataset import ProtocolSpec, ReIDDataset
from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.pictures.folder import list_images
from mmreid_ext.registry import DATASETS

from .cuhk03_archive import extract_images, parse_name, read_new_protocol, read_test_sets
from .cuhk03_prepared import NP_PARTS, read_np, read_split_file

_BOXES = {"detected": "detected", "labelled": "labeled"}  # the archive writes American English
_PID_STEP = 10000
_NEW_COUNTS = {
    "detected": dict(train=Count(7365, 767), query=Count(1400, 700), gallery=Count(5332, 700)),
    "labelled": dict(train=Count(7368, 767), query=Count(1400, 700), gallery=Count(5328, 700)),
}


@DATASETS.register_module()
class CUHK03(ReIDDataset):
    """CUHK03: 1,467 identities in five pairs of cameras, up to five shots per view.

    Read from the published archive ``cuhk-03.mat``; its pictures are extracted once, to
    ``images_detected`` or ``images_labeled`` beside it. Cameras are the two views, 0 and 1.
    Without the archive, two prepared forms are read: CUHK03-NP (``detected`` or ``labeled`` with
    ``bounding_box_train``, ``query``, ``bounding_box_test``; new protocol only), and torchreid's
    (``images_<boxes>`` with ``splits_new_<boxes>.json`` or ``splits_classic_<boxes>.json``). They
    number the identities of training and test independently; ``combine_all`` adds 10000 to those
    of the test part.

    * New protocol (default): 767 / 700 identities, the camera protocol; needs the authors' file
      ``cuhk03_new_protocol_config_<detected|labeled>.mat`` beside the archive.
    * Classic protocol (``classic_split=0..19``): 100 test identities; every test image is query and
      gallery (two records), ranked by the protocol ``'cuhk03_classic'``. ``pid`` is
      ``10000 * pair + person``.

    Li et al., "DeepReID: Deep Filter Pairing Neural Network for Person Re-Identification", CVPR
    2014, https://doi.org/10.1109/CVPR.2014.27; new protocol: Zhong et al., "Re-ranking Person
    Re-identification with k-reciprocal Encoding", CVPR 2017, https://arxiv.org/abs/1701.08398

    Args:
        *args: See :class:`ReIDDataset`.
        boxes: ``'detected'`` or ``'labelled'``. Defaults to ``'detected'``.
        classic_split: Number of the classic split, 0 to 19. None: the new protocol.
        **kwargs: See :class:`ReIDDataset`.

    Raises:
        ValueError: If an option is unknown.
    """

    title = "cuhk03"
    folder_names = (
        "cuhk03_release",
        "cuhk03/cuhk03_release",
        "CUHK03/cuhk03_release",
        "cuhk03",
        "CUHK03",
        "CUHK03-NP",
        "cuhk03-np",
    )
    name_form = "1_001_1_01.png (<pair>_<person>_<view>_<shot>.png), in CUHK03-NP 0001_c1_1.png"
    obtain = (
        "request CUHK03 from its authors' page and unpack cuhk03_release.zip; the files of the new "
        "protocol come from the authors of k-reciprocal re-ranking (Zhong et al., CVPR 2017)."
    )

    def __init__(
        self, *args: Any, boxes: str = "detected", classic_split: int | None = None, **kwargs: Any
    ) -> None:
        if boxes not in _BOXES:
            raise UserError(f"CUHK03: boxes must be 'detected' or 'labelled', got {boxes!r}.")
        self.boxes, self.classic_split = boxes, classic_split
        layouts: list[tuple[str, ...]] = [("cuhk-03.mat",)]
        if classic_split is None:
            self.published = _NEW_COUNTS[boxes]
            # torchreid's users keep it one folder above the archive
            layouts = [("cuhk-03.mat", place + self.protocol_file) for place in ("", "../")]
            layouts.append(tuple(f"{_BOXES[boxes]}/{part}" for part in NP_PARTS.values()))
        self.layouts = [*layouts, (f"images_{_BOXES[boxes]}", self.split_file)]
        super().__init__(*args, **kwargs)

    @property
    def protocol_file(self) -> str:
        """Name of the file of the new protocol."""
        return f"cuhk03_new_protocol_config_{_BOXES[self.boxes]}.mat"

    @property
    def split_file(self) -> str:
        """Name of torchreid's list."""
        kind = "new" if self.classic_split is None else "classic"
        return f"splits_{kind}_{_BOXES[self.boxes]}.json"

    def find(self) -> Path:
        """Return the data set's folder; says where there are the other boxes only."""
        try:
            return super().find()
        except MissingFileError as error:
            other = next(boxes for boxes in _BOXES if boxes != self.boxes)
            reader = CUHK03(
                self.data_folder, boxes=other, classic_split=self.classic_split, lazy_init=True
            )
            try:
                folder = ReIDDataset.find(reader)
            except MissingFileError:
                raise error from None
            raise MissingFileError(
                f"{self.name}: boxes={self.boxes!r}, but {folder} has boxes={other!r} only; set "
                f"that, or complete the folder. {error}"
            ) from None

    def read(self, folder: Path) -> list[Record]:
        """Extract the pictures if need be, then read one of the protocols."""
        if not (folder / "cuhk-03.mat").exists():
            return self._read_prepared(folder)
        name = f"images_{_BOXES[self.boxes]}"
        images = folder / name
        if not images.is_dir() and (folder.parent / name).is_dir():
            images = folder.parent / name
        extract_images(folder / "cuhk-03.mat", _BOXES[self.boxes], images)
        if self.classic_split is None:
            return self._read_new(folder, images)
        return self._read_classic(folder, images, self.classic_split)

    def _read_prepared(self, folder: Path) -> list[Record]:
        boxes = _BOXES[self.boxes]
        self.numbered_apart = self.classic_split is None
        if not (folder / self.split_file).is_file():
            return read_np(folder / boxes, self.read_folder)
        images = folder / f"images_{boxes}"
        records = read_split_file(folder / self.split_file, images, self.classic_split or 0)
        if self.classic_split is not None:  # identities by name, as those of the archive
            for record in records:
                pair, person, _ = parse_name(Path(record["img_path"]).name)
                record["pid"] = _PID_STEP * pair + person
        return records

    def _read_new(self, folder: Path, images: Path) -> list[Record]:
        file = folder / self.protocol_file
        roles = read_new_protocol(file if file.is_file() else folder.parent / self.protocol_file)
        return [
            dict(img_path=str(images / name), pid=pid, camid=parse_name(name)[2], role=role)
            for role, part in roles.items()
            for name, pid in part
        ]

    def _read_classic(self, folder: Path, images: Path, split: int) -> list[Record]:
        test_sets = read_test_sets(folder / "cuhk-03.mat")
        if not 0 <= split < len(test_sets):
            raise UserError(
                f"CUHK03: classic_split={split}, the archive has the splits 0 to "
                f"{len(test_sets) - 1}; give one of these."
            )
        test = test_sets[split]
        records = []
        for path in list_images(images):
            pair, person, view = parse_name(path.name)
            for role in ("query", "gallery") if (pair, person) in test else ("train",):
                pid = _PID_STEP * pair + person
                records.append(dict(img_path=str(path), pid=pid, camid=view, role=role))
        return records

    def select(self, records: Sequence[Record]) -> Sequence[Record]:
        """Train on every picture once, where the classic protocol lists test pictures twice."""
        if self.mode == "train" and self.combine_all and self.classic_split is not None:
            table = RecordTable.of(records)
            records = table.take(~table.equal("role", "gallery"))
        if self.mode == "train" and self.combine_all and self.numbered_apart:
            records = with_test_numbered_from(records, _PID_STEP)
        return super().select(records)

    def protocol_of(self, records: Sequence[Record]) -> ProtocolSpec:
        """Return the classic protocol for a classic split."""
        if self.protocol is None and self.classic_split is not None:
            return "cuhk03_classic"
        return super().protocol_of(records)
