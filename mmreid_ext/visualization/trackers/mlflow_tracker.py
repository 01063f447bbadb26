"""Record a training as a run of MLflow."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.visualization.vis_backend import force_init_env

from mmreid_ext.evaluation.results.training_record import flat_config
from mmreid_ext.registry import VISBACKENDS

from .tracker import Tracker, numbers_of

LONGEST = 250
"""Characters of a parameter that every version of MLflow takes."""

AT_ONCE = 100
"""Parameters that it takes in one request."""

BINS = 20


@VISBACKENDS.register_module()
class MLflowTracker(Tracker):
    """Parameters, metrics, pictures and histograms of one run.

    Args:
        save_dir: Not used; MLflow has a store of its own.
        experiment: Name of the experiment.
        run_name: Name of the run.
        tracking_uri: Address of the server or store. Defaults to ``MLFLOW_TRACKING_URI``, else to
            MLflow's own default.
    """

    title, option = "MLflow", "--mlflow"

    def __init__(
        self,
        save_dir: str | None = None,
        experiment: str = "mmreid_ext",
        run_name: str | None = None,
        tracking_uri: str | None = None,
    ) -> None:
        super().__init__(save_dir)  # type: ignore[arg-type]  # it is kept, and nothing else
        self._experiment, self._run_name, self._uri = experiment, run_name, tracking_uri

    def _init_env(self) -> None:
        with self.opening():
            import mlflow

            if self._uri is not None:
                mlflow.set_tracking_uri(self._uri)
            mlflow.set_experiment(self._experiment)
            mlflow.start_run(run_name=self._run_name)
        self._mlflow = mlflow

    @property
    @force_init_env
    def experiment(self) -> Any:
        """The module ``mlflow``, with the run open."""
        return self._mlflow

    def add_config(self, config: Config, **_: Any) -> None:
        """Record the settings that decide the outcome, and the whole configuration as a file."""
        settings = {
            safe_name(name): str(value)[:LONGEST]
            for name, value in flat_config(config.to_dict()).items()
        }
        names = list(settings)
        for first in range(0, len(names), AT_ONCE):
            part = names[first : first + AT_ONCE]
            self.experiment.log_params({name: settings[name] for name in part})
        self.experiment.log_text(config.pretty_text, "config.py")

    def add_scalar(self, name: str, value: Any, step: int = 0, **_: Any) -> None:
        """Record a number."""
        self.add_scalars({name: value}, step)

    def add_scalars(
        self, scalar_dict: dict, step: int = 0, file_path: str | None = None, **_: Any
    ) -> None:
        """Record numbers by name."""
        numbers = {safe_name(name): value for name, value in numbers_of(scalar_dict).items()}
        run = self.experiment
        with self.sending():
            run.log_metrics(numbers, step=self.step_of(step))

    def add_image(self, name: str, image: np.ndarray, step: int = 0, **_: Any) -> None:
        """Record a picture (H, W, 3), uint8."""
        run = self.experiment
        with self.sending():
            run.log_image(image, f"{safe_name(name)}_{step:07d}.png")

    def add_histogram(self, name: str, values: np.ndarray, step: int) -> None:
        """Record counts and edges of bins as a JSON file; MLflow draws no histograms."""
        counts, edges = np.histogram(values, bins=BINS)
        table = dict(step=step, counts=counts.tolist(), edges=edges.tolist())
        run = self.experiment
        with self.sending():
            run.log_dict(table, f"histograms/{safe_name(name)}_{step:07d}.json")

    def close(self) -> None:
        """End the run."""
        if hasattr(self, "_mlflow"):
            with self.sending():
                self._mlflow.end_run()


def safe_name(name: str) -> str:
    """Replace what MLflow refuses in names: ``TPR@FPR=0.01`` becomes ``TPR_FPR_0.01``."""
    return re.sub(r"[^\w\-./ ]", "_", name)
