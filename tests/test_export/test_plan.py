from pathlib import Path

import pytest
import torch

from mmreid_ext.errors import ExistingFileError, UserError
from mmreid_ext.export.plan import ExportPlan


@pytest.mark.parametrize(
    "settings, message",
    [
        (dict(formats=()), "formats is empty"),
        (dict(formats=("onxx",)), r"format='onxx' \(did you mean 'onnx'\?\)"),
        (dict(input="uint16"), "input='uint16'"),
        (dict(precision="fp8"), "precision='fp8'"),
        (dict(exporter="script"), "exporter='script'"),
        (dict(batch=0), "batch=0 must be at least 1"),
        (dict(name="a/b"), "name='a/b' must be the name of a file"),
        (dict(name=".hidden"), "name='.hidden'"),
        (dict(formats=("torchscript",), precision="fp16"), "stays fp32"),
    ],
)
def test_settings_that_make_no_plan(settings, message):
    with pytest.raises(UserError, match=message):
        ExportPlan(Path("out"), **settings)


def test_the_newer_exporter_needs_a_newer_pytorch(monkeypatch):
    monkeypatch.setattr(torch, "__version__", "2.4.1+cpu")
    with pytest.raises(UserError, match="exporter='dynamo' needs PyTorch 2.5 or newer"):
        ExportPlan(Path("out"), exporter="dynamo")
    monkeypatch.setattr(torch, "__version__", "2.5.0")
    assert ExportPlan(Path("out"), exporter="dynamo").exporter == "dynamo"


def test_names_of_files():
    assert ExportPlan(Path("out")).file("onnx") == Path("out/model.onnx")
    half = ExportPlan(Path("out"), precision="fp16")
    assert half.file("openvino") == Path("out/model_fp16.xml")
    named = ExportPlan(Path("out"), name="osnet_x0_25")
    assert named.file("torchscript") == Path("out/osnet_x0_25.torchscript")


def test_files_that_are_there_stay(tmp_path):
    plan = ExportPlan(tmp_path, ("onnx", "openvino"))
    plan.require_free()
    (tmp_path / "model.xml").write_text("mine")
    with pytest.raises(ExistingFileError, match="model.xml is there already; .* --overwrite"):
        plan.require_free()
    ExportPlan(tmp_path, ("onnx",)).require_free()
    ExportPlan(tmp_path, ("openvino",), overwrite=True).require_free()


def test_the_folder_can_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="file is a file; give a folder"):
        ExportPlan(tmp_path / "file" / "below").require_free()
    ExportPlan(tmp_path / "new" / "below").require_free()
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["model.bin", "model.xml.json"])
def test_weights_and_descriptions_that_are_there_stay_too(tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(ExistingFileError, match=f"{name} is there already"):
        ExportPlan(tmp_path, ("openvino",)).require_free()
    ExportPlan(tmp_path, ("openvino",), overwrite=True).require_free()


def test_a_place_that_cannot_be_written_is_found_before_the_work(tmp_path):
    (tmp_path / "model.onnx").mkdir()
    with pytest.raises(UserError, match="model.onnx' can't be written: it is a folder"):
        ExportPlan(tmp_path, overwrite=True).require_free()
    if Path("/proc/self").is_dir():
        with pytest.raises(UserError, match="/proc/.*can't be written"):
            ExportPlan(Path("/proc/exported")).require_free()
