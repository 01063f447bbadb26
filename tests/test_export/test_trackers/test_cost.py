"""What a tracker's cut and resize cost is measured on the file itself."""

import numpy as np
import pytest

from mmreid_ext.deploy import Embedder
from mmreid_ext.export import ExportPlan, export_model
from mmreid_ext.export.trackers import fit_plan
from mmreid_ext.export.trackers.cost import ViewCost, own_input, tracker_input, view_cost

pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def files(models, tmp_path_factory):
    folder, found = tmp_path_factory.mktemp("files"), {}
    for tracker in ("boxmot", "ultralytics", "deepsort"):
        plan = fit_plan(tracker, ExportPlan(folder / tracker), None, None)
        written = export_model(None, models["imagenet"].file, plan, say=lambda line: None)
        found[tracker] = written[0].file
    return found


def test_a_larger_cut_costs_more_than_a_resize(files):
    found = {t: view_cost(t, "onnx", files[t]) for t in ("boxmot", "ultralytics")}
    assert 0.999 < found["boxmot"].mean < 1.000001
    assert found["ultralytics"].mean < found["boxmot"].mean
    assert all(-1 <= cost.least <= cost.mean and cost.people > 20 for cost in found.values())


def test_who_cuts_nothing_costs_nothing(files):
    assert view_cost("deepsort", "onnx", files["deepsort"]) is None


def test_our_own_input_is_that_of_the_embedder(files, frame):
    embedder = Embedder(files["boxmot"])
    found = embedder.embed_inputs(own_input(embedder.info, frame.picture, frame.boxes))
    np.testing.assert_allclose(found, embedder(frame.picture, frame.boxes), atol=1e-6)
    theirs = tracker_input("boxmot", embedder.info, frame.picture, frame.boxes)
    assert theirs.shape == (len(frame.boxes), 3, 256, 128) and theirs.dtype == np.float32


def test_the_sentence():
    text = "cosine 0.9912 on average, 0.9800 at least, on 24 drawn people"
    assert ViewCost(0.99123, 0.98, 24).text == text


def test_a_file_of_fixed_batch_is_measured_too(files, models, tmp_path):
    plan = fit_plan("ultralytics", ExportPlan(tmp_path, batch=3), None, None)
    written = export_model(None, models["imagenet"].file, plan, say=lambda line: None)
    found = view_cost("ultralytics", "onnx", written[0].file, 3)
    free = view_cost("ultralytics", "onnx", files["ultralytics"])
    assert found.people == free.people and found.mean == pytest.approx(free.mean, abs=1e-5)
