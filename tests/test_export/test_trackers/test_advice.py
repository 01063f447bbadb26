"""The last lines of an export are the lines to copy."""

import ast
from pathlib import Path

import pytest
import yaml

from mmreid_ext.export.trackers import TRACKERS
from mmreid_ext.export.trackers.advice import how_to_use
from mmreid_ext.export.trackers.cost import ViewCost

FILE = Path("out") / "model.onnx"


def indented(lines):
    return [line[4:] for line in lines if line.startswith("    ")]


@pytest.mark.parametrize("tracker", TRACKERS)
def test_every_tracker_is_told_the_file(tracker):
    lines = how_to_use(tracker, FILE, ViewCost(0.99, 0.98, 24))
    assert TRACKERS[tracker].package in lines[0]
    assert any(str(FILE) in line for line in indented(lines))
    assert ("cosine 0.9900" in lines[-1]) == TRACKERS[tracker].cuts
    assert "nothing is lost" in lines[-1] or TRACKERS[tracker].cuts
    assert not any("cosine" in line for line in how_to_use(tracker, FILE, None))


@pytest.mark.parametrize("tracker", ["strongsort", "deepsort"])
def test_python_is_python(tracker):
    ast.parse("\n".join(indented(how_to_use(tracker, FILE, None))))


def test_settings_are_yaml():
    lines = indented(how_to_use("ultralytics", FILE, None))
    assert yaml.safe_load("\n".join(lines[1:3])) == {"with_reid": True, "model": str(FILE)}
    assert "larger" in how_to_use("ultralytics", FILE, ViewCost(0.9, 0.8, 1))[-1]


def test_deepsort_gets_the_vectors_of_its_detections(monkeypatch):
    """The snippet runs, with stand-ins for the two classes."""
    import sys
    from types import SimpleNamespace

    import numpy as np

    calls = {}

    class DeepSort:
        def __init__(self, embedder):
            calls["embedder"] = embedder

        def update_tracks(self, detections, embeds):
            calls["embeds"] = embeds

    def embedder(frame, boxes):
        calls["boxes"] = boxes
        return np.eye(2, 3)

    module = SimpleNamespace(DeepSort=DeepSort)
    monkeypatch.setitem(sys.modules, "deep_sort_realtime", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "deep_sort_realtime.deepsort_tracker", module)
    monkeypatch.setattr("mmreid_ext.deploy.embedder.Embedder", lambda file: embedder)
    detections = [([1, 2, 3, 4], 0.9, "person"), ([10, 20, 30, 40], 0.8, "person")]
    code = "\n".join(indented(how_to_use("deepsort", FILE, None)))
    exec(code, dict(detections=detections, frame=None))
    assert calls["embedder"] is None and len(calls["embeds"]) == 2
    assert calls["boxes"] == [(1, 2, 4, 6), (10, 20, 40, 60)]
