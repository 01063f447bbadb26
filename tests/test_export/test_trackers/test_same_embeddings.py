"""What a tracker computes with our file is what PyTorch computes from the tracker's own pixels."""

import json

import numpy as np
import pytest

from mmreid_ext.export import ExportPlan, export_model
from mmreid_ext.export.engines import open_file
from mmreid_ext.export.normalization import IMAGENET, IMAGENET_ON_BGR
from mmreid_ext.export.trackers import TRACKERS, fit_plan
from mmreid_ext.export.trackers.reference import embed_pixels
from mmreid_ext.export.trackers.views import as_fed, tracker_pixels

pytest.importorskip("onnxruntime")
pytest.importorskip("openvino")

CASES = [
    ("boxmot", "onnx", "ONNX Runtime"),
    ("boxmot", "openvino", "OpenVINO"),
    ("boxmot", "torchscript", "TorchScript"),
    ("ultralytics", "onnx", "ONNX Runtime"),
    ("strongsort", "onnx", "ONNX Runtime"),
    ("strongsort", "torchscript", "TorchScript"),
]
SIZE = (256, 128)


def export(model, folder, tracker, kind):
    plan = fit_plan(tracker, ExportPlan(folder), [kind], None)
    (written,) = export_model(None, model.file, plan, say=lambda line: None)
    return written


@pytest.mark.parametrize(("tracker", "kind", "engine"), CASES)
@pytest.mark.parametrize("name", ["imagenet", "other"])
def test_a_trackers_embedding_is_that_of_pytorch(
    tracker, kind, engine, name, models, frame, tmp_path
):
    model, needs = models[name], TRACKERS[tracker]
    written = export(model, tmp_path, tracker, kind)
    pixels = tracker_pixels(tracker, frame.picture, frame.boxes, SIZE)
    wanted = embed_pixels(model.embedder, pixels)
    found = open_file(engine, written.file)(as_fed(pixels, needs.input, needs.outside))
    np.testing.assert_allclose(found, wanted, atol=2e-6)
    has_sidecar = any(file.name.endswith(".metadata.json") for file in written.files)
    assert has_sidecar == (tracker == "boxmot" and kind != "onnx")
    about = json.loads((tmp_path / f"{written.file.name}.json").read_text())["input"]
    if needs.outside:
        assert about["channel_order"] == needs.outside.channel_order


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("ultralytics", ("rgb01", None)),
        ("boxmot", ("normalized", IMAGENET_ON_BGR)),
        ("strongsort", ("normalized", IMAGENET)),
        ("boxmot", ("rgb01", None)),
    ],
    ids=["mean missing", "blue for red", "red for blue", "numbers in 0..1"],
)
def test_the_wrong_file_is_noticed(right, wrong, models, frame, tmp_path):
    """Negative controls: a file for another tracker gives other embeddings, without a message."""
    model = models["imagenet"]
    other = "boxmot" if right == "ultralytics" else right
    written = export(model, tmp_path, other, "onnx")
    pixels = tracker_pixels(right, frame.picture, frame.boxes, SIZE)
    wanted = embed_pixels(model.embedder, pixels)
    found = open_file("ONNX Runtime", written.file)(as_fed(pixels, *wrong))
    assert np.abs(found - wanted).max() > 1e-2
    assert (found * wanted).sum(1).min() < 0.9995


def test_the_enlarged_cut_is_noticed(models, frame):
    model = models["imagenet"].embedder
    tight, larger = (
        embed_pixels(model, tracker_pixels(t, frame.picture, frame.boxes, SIZE))
        for t in ("boxmot", "ultralytics")
    )
    assert (tight * larger).sum(1).max() < 0.99999


def test_our_own_embedder_reads_every_file_right(models, frame, tmp_path):
    """The description is that of the file: colours, mean and deviation of the tracker."""
    from mmreid_ext.deploy import Embedder

    model = models["other"]
    plain = export_model(None, model.file, ExportPlan(tmp_path / "own"), say=lambda line: None)
    wanted = Embedder(plain[0].file)(frame.picture, frame.boxes)
    for tracker in TRACKERS:
        written = export(model, tmp_path / tracker, tracker, "onnx")
        found = Embedder(written.file)(frame.picture, frame.boxes)
        np.testing.assert_allclose(found, wanted, atol=2e-6, err_msg=tracker)
