"""A plan that fits the tracker, or one sentence that says what to ask for instead."""

import pytest

from mmreid_ext.errors import UserError
from mmreid_ext.export.normalization import IMAGENET
from mmreid_ext.export.plan import ExportPlan
from mmreid_ext.export.trackers import TRACKERS, fit_plan
from mmreid_ext.export.trackers.fitting import require_size


@pytest.mark.parametrize("tracker", TRACKERS)
def test_the_default_is_what_the_tracker_takes(tracker, tmp_path):
    plan = fit_plan(tracker, ExportPlan(tmp_path), None, None)
    needs = TRACKERS[tracker]
    assert plan.formats == needs.formats[:1] and plan.input == needs.input
    assert plan.outside == needs.outside and plan.stem == needs.name
    half = fit_plan(tracker, ExportPlan(tmp_path, precision="fp16"), None, None)
    assert half.stem == f"{needs.name}_fp16"


def test_formats_may_be_chosen(tmp_path):
    plan = fit_plan("boxmot", ExportPlan(tmp_path, name="mine"), ["openvino", "onnx"], "normalized")
    assert plan.formats == ("openvino", "onnx") and plan.stem == "mine"
    assert plan.outside == IMAGENET and len(plan.sidecars) == 1


@pytest.mark.parametrize(
    ("tracker", "formats", "kind", "message"),
    [
        ("ultralytics", ["torchscript"], None, "224 x 224 .* silently wrong; take --format onnx"),
        ("ultralytics", ["openvino"], None, "the call fails; take --format onnx"),
        ("strongsort", ["openvino"], None, "openvino.runtime.*take --format onnx"),
        ("deepsort", ["torchscript"], None, "Embedder.*take --format onnx"),
        ("ultralytics", None, "normalized", "feeds 'rgb01' images; leave --input out. .* 0.95"),
        ("boxmot", None, "uint8", "feeds 'normalized' images; leave --input out"),
    ],
)
def test_what_it_would_get_wrong_is_refused(tracker, formats, kind, message, tmp_path):
    with pytest.raises(UserError, match=message):
        fit_plan(tracker, ExportPlan(tmp_path), formats, kind)


@pytest.mark.parametrize(
    ("tracker", "name", "message"),
    [
        ("boxmot", "VeRi_net", "must not hold 'veri'. Names with these words"),
        ("boxmot", "vehicleid", "must not hold 'vehicleid'"),
        ("ultralytics", "yolo26n-reid", "must not hold 'yolo26n-reid'"),
        ("strongsort", "mine", "write mine_osnet_x0_25. It builds the network"),
        ("strongsort", "osnet_x0_25.pt", "must not hold '.'"),
    ],
)
def test_names_that_mislead_it_are_refused(tracker, name, message, tmp_path):
    with pytest.raises(UserError, match=message):
        fit_plan(tracker, ExportPlan(tmp_path, name=name), None, None)


def test_a_fixed_batch_is_not_for_all(tmp_path):
    with pytest.raises(UserError, match="--for strongsort --batch 4: .* leave --batch out"):
        fit_plan("strongsort", ExportPlan(tmp_path, batch=4), None, None)
    assert fit_plan("boxmot", ExportPlan(tmp_path, batch=4), None, None).batch == 4


def test_another_size_is_refused_where_the_tracker_has_one():
    require_size("strongsort", {"height": 256, "width": 128})
    require_size("boxmot", {"height": 128, "width": 64})
    with pytest.raises(UserError, match=r"are 128 x 64, .* always feeds 256 x 128; .*--for boxmot"):
        require_size("strongsort", {"height": 128, "width": 64})
