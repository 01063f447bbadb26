"""The record of an exported model: read from every kind of file, and checked field by field."""

import copy
import json

import pytest
from helpers.exported_model import info, record, write_onnx, write_openvino

from mmreid_ext.deploy import ModelInfo, read_model_info
from mmreid_ext.errors import MissingFileError, UserError


def test_a_record_survives_writing_and_reading():
    found = info(height=256, width=128, size=512)
    assert ModelInfo.from_json(found.to_json(), "again") == found
    assert (found.height, found.width, found.size) == (256, 128, 512)
    assert "\n" not in found.to_json()
    assert found.to_record() == record(height=256, width=128, size=512)


def test_thresholds_are_those_of_the_best_test_set():
    about = record()
    other = {**about["thresholds"][0], "dataset": "few", "negatives": 100}
    found = ModelInfo.from_record({**about, "thresholds": [other, *about["thresholds"]]}, "test")
    assert [(t.fpr, t.similarity) for t in found.thresholds] == [
        (1e-2, 0.5),
        (1e-3, 0.8),
        (1e-4, None),
    ]
    assert len(found.all_thresholds) == 4


def test_identity_is_that_of_the_weights_and_of_int8():
    about = record(weights="12" * 32)
    assert ModelInfo.from_record(about, "test").identity == "12" * 32
    assert ModelInfo.from_record({**about, "precision": "fp16"}, "t").identity == "12" * 32
    quantised = ModelInfo.from_record({**about, "precision": "int8"}, "t")
    assert quantised.identity == "12" * 32 + "/int8"
    assert quantised.name == "tiny.pth (12121212, int8)"
    about["model"]["weights"] = None
    assert ModelInfo.from_record(about, "t").identity == "cd" * 32


@pytest.mark.parametrize("write", [write_onnx, write_openvino])
def test_the_record_inside_is_enough_and_so_is_the_one_beside(tmp_path, write):
    file = write(tmp_path)
    beside = file.with_name(f"{file.name}.json")
    assert read_model_info(file) == info()
    text = beside.read_text()
    beside.unlink()
    assert read_model_info(file) == info()
    if file.suffix == ".onnx":
        import onnx

        model = onnx.load(file)
        del model.metadata_props[:]
        onnx.save(model, file)
    else:
        file.write_text(file.read_text().replace("mmreid_ext", "other"))
    beside.write_text(text)
    assert read_model_info(file) == info()
    beside.unlink()
    with pytest.raises(UserError, match=r"doesn't say how to use it.*tools/export.py"):
        read_model_info(file)


def test_a_contradiction_is_told(tmp_path):
    file = write_onnx(tmp_path)
    file.with_name("model.onnx.json").write_text(json.dumps(record(weights="99" * 32)))
    with pytest.raises(UserError, match=r"model.onnx.json beside it say different things"):
        read_model_info(file)


def test_no_file_and_no_model(tmp_path):
    with pytest.raises(MissingFileError, match="no exported model"):
        read_model_info(tmp_path / "model.onnx")
    (tmp_path / "best.pth").write_bytes(b"x")
    with pytest.raises(UserError, match=r"best.pth is no exported model.*\.onnx, .*export"):
        read_model_info(tmp_path / "best.pth")


def changed(path, value):
    """Return the record with one field replaced; ``...`` removes it."""
    about = copy.deepcopy(record())
    *places, last = path.split(".")
    inner = about
    for place in places:
        inner = inner[int(place) if place.isdigit() else place]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return about


WRONG = [
    ("format", 0),
    ("format", "1"),
    ("format", True),
    ("format", ...),
    ("input", []),
    ("input", ...),
    ("input.kind", "RGB01"),
    ("input.kind", ["uint8"]),
    ("input.height", 0),
    ("input.height", 10**9),
    ("input.height", 10**5000),
    ("input.height", 32.0),
    ("input.width", None),
    ("input.width", True),
    ("input.channel_order", "rgb"),
    ("input.mean", [1, 2]),
    ("input.mean", [1, 2, "3"]),
    ("input.mean", [1, 2, float("nan")]),
    ("input.mean", None),
    ("input.std", [1, 0, 1]),
    ("input.std", [1, float("inf"), 1]),
    ("input.steps", None),
    ("input.steps", [None]),
    ("input.steps", [{"type": "center_crop", "height": 1, "width": 1}] * 1000),
    ("input.steps", [{"type": "center_crop", "height": 31, "width": 16}]),
    ("input.steps.0.type", "RandomErasing"),
    ("input.steps.0.type", ["resize"]),
    ("input.steps.0.height", 10**7),
    ("input.steps.0.interpolation", "cubic"),
    ("input.steps.0.interpolation", {}),
    ("input.steps.0.backend", "tensorflow"),
    ("embedding.size", 0),
    ("embedding.size", 1 << 40),
    ("embedding.l2_normalized", False),
    ("embedding.l2_normalized", 1),
    ("embedding.distance", "euclidean"),
    ("embedding.flip_test", "no"),
    ("embedding.feature", "x" * 10_000),
    ("precision", "fp64"),
    ("model", "best.pth"),
    ("model.file", "a\nb"),
    ("model.file", ...),
    ("model.weights", 7),
    ("thresholds", {"fpr": 1}),
    ("thresholds.0.fpr", -1),
    ("thresholds.0.fpr", 1e-320),
    ("thresholds.0.similarity", 7),
]


@pytest.mark.parametrize(
    "path, value", WRONG, ids=[f"{path}-{n}" for n, (path, _) in enumerate(WRONG)]
)
def test_a_wrong_field_is_named_on_one_line(path, value):
    with pytest.raises(UserError) as caught:
        ModelInfo.from_record(changed(path, value), "model.onnx")
    message = str(caught.value)
    assert message.startswith("model.onnx: ") and "\n" not in message and len(message) < 400
    named = path.split(".")[0] if path == "input.mean" and value is None else path.split(".")[-1]
    assert named in message


@pytest.mark.parametrize("record", [None, [], "text", 7, {}])
def test_what_is_no_record_is_refused(record):
    with pytest.raises(UserError, match="^m.onnx: "):
        ModelInfo.from_record(record, "m.onnx")


@pytest.mark.parametrize(
    "text", ["", "{", "[" * 100_000, "{'a': 1}", "1" * 10_000, '{"format": 1' + " " * 10]
)
def test_what_is_no_json_is_refused_on_one_line(text):
    with pytest.raises(UserError, match="^m.onnx") as caught:
        ModelInfo.from_json(text, "m.onnx")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("later", [2, 10**40])
def test_a_later_format_asks_for_a_newer_package(later):
    with pytest.raises(UserError, match="reads format 1: upgrade the package"):
        ModelInfo.from_record({"format": later}, "m.onnx")


def test_fields_of_other_programs_are_passed_over():
    about = record()
    about["input"]["comment"] = about["comment"] = "hello"
    about["thresholds"].append({"mine": 1})
    assert ModelInfo.from_record(about, "test") == info()
