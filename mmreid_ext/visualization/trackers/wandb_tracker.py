"""Record a training as a run of Weights & Biases."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.visualization.vis_backend import force_init_env

from mmreid_ext.evaluation.results.training_record import flat_config
from mmreid_ext.registry import VISBACKENDS

from .tracker import Tracker, numbers_of


@VISBACKENDS.register_module()
class WandbTracker(Tracker):
    """Settings, scalars, histograms and pictures of one run; no source code is sent.

    ``WANDB_MODE=offline`` keeps it on this machine until ``wandb sync``.

    Args:
        save_dir: Folder of its files.
        project: Name of the project.
        run_name: Name of the run.
    """

    title, option = "Weights & Biases", "--wandb"

    def __init__(
        self, save_dir: str, project: str = "mmreid_ext", run_name: str | None = None
    ) -> None:
        super().__init__(save_dir)
        self._project, self._run_name = project, run_name

    def _init_env(self) -> None:
        with self.opening():
            import wandb

            # It would send a copy of the screen, whose live line is hundreds of lines there.
            settings = wandb.Settings(console="off", silent=True)
            self._run = wandb.init(
                dir=self._save_dir, project=self._project, name=self._run_name, settings=settings
            )
        self._wandb = wandb

    @property
    @force_init_env
    def experiment(self) -> Any:
        """The run."""
        return self._run

    def add_config(self, config: Config, **_: Any) -> None:
        """Record the settings that decide the outcome."""
        self.experiment.config.update(flat_config(config.to_dict()), allow_val_change=True)

    def add_scalar(self, name: str, value: Any, step: int = 0, **_: Any) -> None:
        """Record a number."""
        self.add_scalars({name: value}, step)

    def add_scalars(
        self, scalar_dict: dict, step: int = 0, file_path: str | None = None, **_: Any
    ) -> None:
        """Record numbers by name."""
        self.experiment.log(numbers_of(scalar_dict), step=self.step_of(step))

    def add_image(self, name: str, image: np.ndarray, step: int = 0, **_: Any) -> None:
        """Record a picture (H, W, 3), uint8."""
        run = self.experiment
        run.log({name: self._wandb.Image(image)}, step=step)

    def add_histogram(self, name: str, values: np.ndarray, step: int) -> None:
        """Record how values (N,) are distributed."""
        run = self.experiment
        run.log({name: self._wandb.Histogram(values)}, step=step)

    def close(self) -> None:
        """End the run."""
        if hasattr(self, "_run"):
            self._run.finish()
