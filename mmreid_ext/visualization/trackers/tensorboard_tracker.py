"""Write event files for TensorBoard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.visualization.vis_backend import TensorboardVisBackend
from torch import Tensor

from mmreid_ext.registry import VISBACKENDS

from .tracker import Tracker, numbers_of


@VISBACKENDS.register_module()
class TensorboardTracker(Tracker, TensorboardVisBackend):
    """Scalars, histograms, pictures and the embedding projector.

    Args:
        save_dir: Folder of the event files.
    """

    title, option = "TensorBoard", "--tensorboard"

    def _init_env(self) -> None:
        with self.opening():
            from torch.utils.tensorboard import SummaryWriter  # needs the package tensorboard

            self._tensorboard = SummaryWriter(self._save_dir)

    def add_scalars(
        self, scalar_dict: dict, step: int = 0, file_path: str | None = None, **_: Any
    ) -> None:
        """Record numbers by name."""
        for name, value in numbers_of(scalar_dict).items():
            self.experiment.add_scalar(name, value, self.step_of(step))

    def add_histogram(self, name: str, values: np.ndarray, step: int) -> None:
        """Record how values (N,) are distributed."""
        self.experiment.add_histogram(name, values, step)

    def add_embeddings(
        self, name: str, feats: Tensor, labels: Sequence[str], thumbnails: Tensor, step: int
    ) -> None:
        """Record embeddings for the projector."""
        self.experiment.add_embedding(feats, list(labels), thumbnails, global_step=step, tag=name)
