"""Event files, read back by TensorBoard itself."""

import numpy as np
import pytest
import torch

from mmreid_ext.visualization.trackers import TensorboardTracker


def test_event_files_hold_what_was_logged(tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    tracker = TensorboardTracker(str(tmp_path))
    tracker.add_scalars({"loss": 1.5, "note": "no number"}, step=7)
    tracker.validation_step = 12
    tracker.add_scalars({"m/mAP": 50.0}, step=1)
    tracker.add_histogram("gates", np.array([0.0, 1.0, 1.0]), 12)
    tracker.add_image("ranked_lists/m", np.zeros((4, 2, 3), np.uint8), 12)
    pictures = torch.zeros(4, 3, 8, 8)
    tracker.add_embeddings("m", torch.eye(4), ["1 query", "1 gallery"] * 2, pictures, 12)
    tracker.close()
    events = accumulator.EventAccumulator(str(tmp_path))
    events.Reload()
    assert [(e.step, e.value) for e in events.Scalars("loss")] == [(7, 1.5)]
    assert [(e.step, e.value) for e in events.Scalars("m/mAP")] == [(12, 50.0)]
    assert events.Histograms("gates")[0].histogram_value.num == 3
    picture = events.Images("ranked_lists/m")[0]
    assert (picture.step, picture.height, picture.width) == (12, 4, 2)
    assert (tmp_path / "projector_config.pbtxt").is_file()
    (labels,) = tmp_path.glob("*/m/metadata.tsv")
    assert labels.read_text().splitlines()[:2] == ["1 query", "1 gallery"]
