"""Reader of the synthetic pedestrians of ``tools/make_synthetic.py``."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmreid_ext.errors import UserError
from mmreid_ext.registry import DATASETS

from .market1501 import Market1501

_DOMAIN = re.compile(r"domain_(\d+)")


@DATASETS.register_module()
class SyntheticReID(Market1501):
    """One domain of a synthetic set, laid out like Market-1501.

    Args:
        data_root: Folder with ``synthetic/domain_<d>`` or ``domain_<d>`` in it, or that of the
            domain. Defaults to the environment variable ``MMREID_DATA_ROOT``, else ``data``.
        mode: ``'train'`` or ``'test'``. Defaults to ``'train'``.
        pipeline: Transforms.
        domain: Number of the domain. Defaults to 0.
        name: Name in records and metric keys. Defaults to ``'synthetic_<domain>'``.
        **kwargs: See :class:`ReIDDataset`.

    Example:
        >>> train_dataset = dict(
        ...     type='mmreid_ext.MultiSourceDataset',
        ...     sources=[dict(type='mmreid_ext.SyntheticReID', domain=d) for d in range(4)],
        ...     pipeline=train_pipeline)
    """

    title = "synthetic"
    obtain = "python tools/make_synthetic.py --out <data_root>/synthetic (a minute, no download)."
    published = {}
    distractor_pids = frozenset()

    def __init__(
        self,
        data_root: str | os.PathLike | None = None,
        mode: str = "train",
        pipeline: Sequence = (),
        *,
        domain: int = 0,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        self.folder_names = (f"synthetic/domain_{domain}", f"domain_{domain}")
        self._domain = domain
        super().__init__(data_root, mode, pipeline, name=name or f"synthetic_{domain}", **kwargs)

    def find(self) -> Path:
        """Return the domain's folder, not that of another domain."""
        folder = super().find()
        other = _DOMAIN.fullmatch(folder.resolve().name)
        if other and int(other[1]) != self._domain:
            raise UserError(
                f"{self.name}: domain={self._domain}, but data_root={folder} is domain {other[1]}; "
                "give the folder that holds the domains."
            )
        return folder
