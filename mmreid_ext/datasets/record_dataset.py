"""A list of image records behind MMEngine's dataset interface."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset, Compose

from mmreid_ext.errors import UserError, UserTypeError
from mmreid_ext.image_loading import is_loading, split_loading
from mmreid_ext.protocols import ImageTable

from .corrupt_images import CorruptImages, replacements
from .isolated_rng import borrowed_rng, isolated_rng, seed_rng
from .loading import UnreadableImageError, build_loader, load_image
from .records import Record, RecordTable, image_table
from .transforms.drawn import SEED

_UNREAD = {
    "ann_file": "the reader knows its files",
    "data_root": "give it to the readers in `sources`, or set MMREID_DATA_ROOT",
    "filter_cfg": "use identities, max_identities or indices",
}
"""Options of MMEngine's ``BaseDataset`` that nothing here reads, and what to use."""


class RecordDataset(BaseDataset):
    """Images with identity, camera, domain and role, wherever the records come from.

    A subclass defines ``load_data_list``, which also sets ``num_classes`` and ``num_domains``.

    Attributes:
        name: Name of the data set.
        labels: Class label (training) or ``pid`` (test) of every image, int64 (N,).
        pids: The same array under the name that samplers read.
        camids: Camera of every image, int64 (N,).
        domains: Domain of every image, int64 (N,).
        num_classes: Number of identities.
        num_domains: Number of domains.
        corrupt: Images found unreadable so far, with ``on_corrupt='skip'``.

    Args:
        name: Name of the data set.
        mode: ``'train'`` or ``'test'``.
        pipeline: Transforms of the loaded image. A first transform that loads is taken as
            ``loader``. Without a pipeline and a loader, items are the records.
        on_corrupt: ``'error'`` or ``'skip'`` (training only).
        loader: Settings of what reads the file of an image. Defaults to
            ``dict(type='LoadImageFromFile')``.
        **kwargs: ``indices``, ``lazy_init``, ``serialize_data``, ``metainfo`` of MMEngine's
            ``BaseDataset``.

    Raises:
        TypeError: If an option of ``BaseDataset`` is given that has no effect here.
        ValueError: If an option has an unknown value.
    """

    num_classes: int
    num_domains: int
    serialize_data: bool
    data_list: list[Record]

    def __init__(
        self,
        name: str,
        mode: str,
        pipeline: Sequence,
        on_corrupt: str,
        loader: Any = None,
        **kwargs: Any,
    ) -> None:
        if mode not in ("train", "test"):
            raise UserError(f"{name}: mode must be 'train' or 'test', got {mode!r}.")
        if on_corrupt not in ("error", "skip"):
            raise UserError(f"{name}: on_corrupt must be 'error' or 'skip', got {on_corrupt!r}.")
        if mode == "test" and on_corrupt == "skip":
            raise UserError(
                f"{name}: on_corrupt='skip' is for training; in a test it would evaluate other "
                "images than the set's. Restore or delete unreadable test images."
            )
        for key, advice in _UNREAD.items():
            if kwargs.get(key):
                raise UserTypeError(f"{name}: {key}={kwargs[key]!r} has no effect; {advice}.")
        self.name, self.mode, self.on_corrupt = name, mode, on_corrupt
        steps = split_loading(loader, pipeline, name)
        self.loader = build_loader(steps.loader)
        super().__init__(
            data_prefix={}, pipeline=steps.transforms, test_mode=mode == "test", **kwargs
        )

    def full_init(self) -> None:
        """Read the records; they are held as columns, or as dicts without ``serialize_data``."""
        if self._fully_initialized:
            return
        serialize, self.serialize_data = self.serialize_data, False
        super().full_init()
        self.serialize_data = serialize
        self._table = table = RecordTable.of(self.data_list)
        self.labels = table.ints("gt_label" if self.mode == "train" else "pid")
        self.pids = self.labels
        self.camids, self.domains = table.ints("camid"), table.ints("domain")
        if self.on_corrupt == "skip":
            self.corrupt = CorruptImages(len(self.labels))
        self.data_list = [] if serialize else list(map(dict, table))

    def _get_unserialized_subset(self, indices: Sequence[int] | int) -> RecordTable:
        table = RecordTable.of(self.data_list)
        if isinstance(indices, int):
            return table[:indices] if indices >= 0 else table[indices:]
        if not isinstance(indices, Sequence):
            raise UserTypeError(
                f"{self.name}: indices must be an integer or a sequence of integers, "
                f"got {type(indices).__name__}."
            )
        return table.take(np.arange(len(table))[list(indices)])

    @property
    def table(self) -> RecordTable:
        """The records, as columns. They must only be read."""
        self.full_init()
        return self._table

    def __len__(self) -> int:
        return len(self.table)

    def get_data_info(self, idx: int) -> Record:
        """Return a new dict with what is known of image ``idx``, and ``sample_idx``.

        Args:
            idx: Index; below 0 it counts from the end.
        """
        if not self.serialize_data:
            return super().get_data_info(idx)
        place = range(len(self.table))[idx]
        return {**self._table[place], "sample_idx": place}

    @property
    def pipeline(self) -> Compose:
        """Transforms of the loaded image. Set to a pipeline that loads, it sets the loader, too.

        MMPretrain's ``SwitchRecipeHook`` sets it during training.
        """
        return self._pipeline

    @pipeline.setter
    def pipeline(self, pipeline: Compose) -> None:
        if pipeline.transforms and is_loading(pipeline.transforms[0]):
            self.loader, *transforms = pipeline.transforms
            pipeline = Compose(transforms)
        self._pipeline = pipeline
        self._is_seeded_globally = any(
            getattr(step, "reads_global_generators", True) for step in pipeline.transforms
        )

    def image_table(self) -> ImageTable:
        """Tabulate what a protocol asks about the test images, one row per image."""
        images = image_table(self.table, ())
        images.mark_distractors(self.metainfo.get("test_sets", {}))
        return images

    def get_cat_ids(self, idx: int) -> list[int]:
        """Return the label of image ``idx``, as MMEngine's ``ClassBalancedDataset`` asks for it."""
        self.full_init()
        return [int(self.labels[idx])]

    def image_paths(self) -> list[str]:
        """Return the paths of all images, in order; several crops may have one path."""
        return list(self.table.paths())

    def image_keys(self) -> list[str]:
        """Return one name per picture, in order: its path, and its box if it is a crop."""
        return list(self.table.keys())

    def get_subset_(self, indices: Sequence[int] | int) -> None:
        """Not supported: arrays, labels and samplers belong to the complete list."""
        raise NotImplementedError(
            "Give `indices`, `identities` or `max_identities` to the dataset when it is built."
        )

    get_subset = get_subset_

    def __getitem__(self, idx: int) -> dict:
        """Image ``idx`` after the pipeline.

        Args:
            idx: Index. If it has an attribute ``seed`` (a sampler's ``Draw``), our transforms draw
                from it. If there are others, all run under random states made from it, and the
                global states are left as they were.
        """
        if not self._fully_initialized:
            self.full_init()
        seed = getattr(idx, "seed", None)
        if seed is None or not self._is_seeded_globally:
            return self.prepare_data(int(idx), seed)
        with isolated_rng(seed):
            return self.prepare_data(int(idx), seed)

    def __getitems__(self, indices: Sequence[int]) -> list[dict]:
        """The images of one batch, as single ones; PyTorch's loaders call this.

        To save and restore the global states takes as long as to decode a small image, so that is
        done once.
        """
        seeds: list[Any] = [getattr(idx, "seed", None) for idx in indices]
        if None in seeds or not self._is_seeded_globally:
            return [self[idx] for idx in indices]
        if not self._fully_initialized:
            self.full_init()
        images = []
        with borrowed_rng():
            for idx, seed in zip(indices, seeds, strict=True):
                seed_rng(seed)
                images.append(self.prepare_data(int(idx), seed))
        return images

    def prepare_data(self, idx: int, seed: int | None = None) -> dict:
        """Load image ``idx``, or what replaces it, and transform it; ours draw from ``seed``."""
        if self.loader is None:
            return self.get_data_info(idx)
        try:
            results = load_image(self.loader, self.get_data_info(idx))
        except UnreadableImageError as error:
            if self.on_corrupt == "error":
                raise
            results = self._replace(idx, error)
        path = results["img_path"]
        if seed is not None:
            results[SEED] = seed
        for transform in self.pipeline.transforms:
            results = transform(results)
            if results is None:
                raise UserError(f"{self.name}: {transform!r} returned None for {path!r}.")
        return results

    def _replace(self, idx: int, error: UnreadableImageError) -> dict:
        idx %= len(self)
        for candidate in replacements(idx, self.labels, self.domains).tolist():
            record = self.get_data_info(candidate)
            path = record["img_path"]
            try:
                results = load_image(self.loader, record)
            except UnreadableImageError:
                continue
            self.corrupt.add(idx, error, path)
            return results
        raise UnreadableImageError(f"{error} No other image of the identity can be read either.")
