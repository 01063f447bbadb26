"""Send to the trackers what is more than a number: gates, ranked lists, embeddings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.hooks import Hook, LoggerHook
from mmengine.runner import Runner
from PIL import Image

from mmreid_ext.engine.network import network_of
from mmreid_ext.evaluation import EmbeddingSet
from mmreid_ext.evaluation.pid_names import pid_names_by_set
from mmreid_ext.evaluation.reid_metric import ReIDMetric
from mmreid_ext.models import ReIDModel
from mmreid_ext.protocols import EvaluationProtocol
from mmreid_ext.stage_names import stage_of
from mmreid_ext.visualization.trackers import Tracker

from .tracked_pictures import draw_ranked_list, projector_input


class TrackingHook(Hook):
    """Record gates with every log line, ranked lists and embeddings after every validation.

    For the first rank. It changes nothing of the training.
    """

    priority = "LOWEST"  # after the log, whose values of a validation need its iteration

    def before_train(self, runner: Runner) -> None:
        """Find the trackers, and how often the training is logged."""
        self._interval = min(
            (hook.interval for hook in runner.hooks if isinstance(hook, LoggerHook)), default=0
        )

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Record the gates where the losses are logged."""
        if self._interval and self.every_n_inner_iters(batch_idx, self._interval):
            for name, gates in gates_of(runner).items():
                for tracker in trackers_of(runner):
                    tracker.add_histogram(name, gates, runner.iter + 1)

    def before_val_epoch(self, runner: Runner) -> None:
        """Tell the trackers at which iteration the validation stands."""
        for tracker in trackers_of(runner):
            tracker.validation_step = runner.iter

    def after_val_epoch(self, runner: Runner, metrics: Mapping[str, float] | None = None) -> None:
        """Record ranked lists and embeddings."""
        trackers, step = trackers_of(runner), runner.iter
        for tracker in trackers:
            tracker.validation_step = None
        for metric, name, images, protocol in _evaluated(runner) if trackers else ():
            path = Path(runner._log_dir, "vis_data", "ranked_lists", f"{name}_{step}.png")
            people = pid_names_by_set(metric.dataset_meta).get(name, {})
            if draw_ranked_list(path, name, images, protocol, metric.distance, people):
                with Image.open(path) as file:
                    picture = np.asarray(file.convert("RGB"))
                for tracker in trackers:
                    tracker.add_image(f"ranked_lists/{name}", picture, step)
            embeddings = projector_input(images)
            for tracker in trackers:
                tracker.add_embeddings(name, *embeddings, step)


def trackers_of(runner: Runner) -> list[Tracker]:
    """Return the trackers of a run."""
    backends = runner.visualizer._vis_backends.values()
    return [backend for backend in backends if isinstance(backend, Tracker)]


def gates_of(runner: Runner) -> dict[str, np.ndarray]:
    """Return the gates of a model's batch-instance norms, all of them and by stage; may be empty.

    One transfer to the host for all.
    """
    network = network_of(runner.model)
    layers = network.bin_layers() if isinstance(network, ReIDModel) else {}
    if not layers:
        return {}
    gates = torch.cat([layer.gate.detach().flatten() for layer in layers.values()])
    values = gates.float().cpu().numpy()
    stages: dict[str, list[np.ndarray]] = {}
    ends = np.cumsum([layer.gate.numel() for layer in layers.values()])[:-1]
    for name, part in zip(layers, np.split(values, ends), strict=True):
        stages.setdefault(f"gates/{stage_of(name)}", []).append(part)
    return {"gates": values} | {name: np.concatenate(parts) for name, parts in stages.items()}


def _evaluated(
    runner: Runner,
) -> Iterator[tuple[ReIDMetric, str, EmbeddingSet, EvaluationProtocol]]:
    """Yield metric, name, embeddings and protocol of every test set of the last validation."""
    for metric in runner.val_loop.evaluator.metrics:
        if isinstance(metric, ReIDMetric) and metric.last_embeddings is not None:
            sets = dict(metric.last_embeddings.by_dataset())
            protocols = metric.protocols_of(list(sets))
            for name, images in sets.items():
                yield metric, name, images, protocols[name]
