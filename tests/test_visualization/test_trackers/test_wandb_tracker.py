"""Calls of wandb, by a stand-in of the same names; the package itself is heavy."""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from mmengine.config import Config

from mmreid_ext.visualization.trackers.wandb_tracker import WandbTracker


@pytest.fixture
def seen(monkeypatch):
    record = SimpleNamespace(logged=[], config={}, opened=None, finished=0)
    run = SimpleNamespace(
        log=lambda values, step: record.logged.append((values, step)),
        config=SimpleNamespace(update=lambda values, **_: record.config.update(values)),
        finish=lambda: setattr(record, "finished", record.finished + 1),
    )
    module = ModuleType("wandb")
    module.Settings = lambda **options: options
    module.Image = lambda pixels: ("image", pixels.shape)
    module.Histogram = lambda values: ("histogram", len(values))

    def init(**options):
        record.opened = options
        return run

    module.init = init
    monkeypatch.setitem(sys.modules, "wandb", module)
    return record


def test_a_run(seen, tmp_path):
    tracker = WandbTracker(str(tmp_path), "market", "first")
    tracker.add_config(Config(dict(a=1, b=dict(c=2))))
    tracker.add_scalars({"loss": 1.5, "note": "no number"}, step=7)
    tracker.add_image("ranked_lists/m", np.zeros((4, 2, 3), np.uint8), 7)
    tracker.add_histogram("gates", np.array([0.0, 1.0]), 7)
    tracker.validation_step = 8
    tracker.add_scalars({"m/mAP": 50.0}, step=2)
    tracker.close()
    assert seen.opened["project"] == "market" and seen.opened["name"] == "first"
    assert seen.opened["settings"]["console"] == "off"  # or the live line would be sent
    assert seen.config == {"a": 1, "b.c": 2}
    assert seen.logged == [
        ({"loss": 1.5}, 7),
        ({"ranked_lists/m": ("image", (4, 2, 3))}, 7),
        ({"gates": ("histogram", 2)}, 7),
        ({"m/mAP": 50.0}, 8),
    ]
    assert seen.finished == 1
