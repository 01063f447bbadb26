"""The command line of the export."""

import pytest
from helpers.tools import run_tool

pytest.importorskip("onnxruntime")


def test_a_checkpoint_alone_is_enough(small, tmp_path, monkeypatch, capsys):
    run_tool("export", monkeypatch, small.file, "--out", tmp_path, "--batch", 2)
    lines = capsys.readouterr().out.splitlines()
    assert f"Written: {tmp_path / 'model.onnx'}" in lines
    assert any("ONNX Runtime: largest difference to PyTorch" in line for line in lines)
    with pytest.raises(SystemExit, match="model.onnx is there already"):
        run_tool("export", monkeypatch, small.file, "--out", tmp_path)


def test_the_configuration_stands_before_the_checkpoint(small, tmp_path, monkeypatch):
    config = small.folder / "tiny.py"
    run_tool("export", monkeypatch, config, small.file, "--out", tmp_path, "--name", "mine")
    assert '"config": "tiny.py"' in (tmp_path / "mine.onnx.json").read_text()


def test_three_names_are_one_too_many(monkeypatch, capsys):
    with pytest.raises(SystemExit):
        run_tool("export", monkeypatch, "a", "b", "c", "--out", "d")
    assert "CONFIG CHECKPOINT" in capsys.readouterr().err


def test_for_a_tracker(small, tmp_path, monkeypatch, capsys):
    words = ("--for", "boxmot", "--format", "torchscript", "--out", tmp_path)
    run_tool("export", monkeypatch, small.file, *words)
    lines = capsys.readouterr().out.splitlines()
    assert f"Written: {tmp_path / 'model.torchscript.metadata.json'}" in lines
    assert any("boxmot track --reid" in line for line in lines)
    assert lines[-1].startswith("Its resize against ours: cosine ")


def test_a_model_that_no_such_tracker_can_use(small, tmp_path, monkeypatch):
    with pytest.raises(SystemExit, match=r"images of this model are 16 x 8, .* feeds 256 x 128"):
        run_tool("export", monkeypatch, small.file, "--for", "strongsort", "--out", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_int8_is_measured_beside_float32(small, tmp_path, monkeypatch, capsys):
    pytest.importorskip("nncf")
    run_tool(
        *("export", monkeypatch, small.file, "--format", "openvino", "--precision", "int8"),
        *("--calibration", small.folder, "--data", small.folder / "list.csv", "--out", tmp_path),
    )
    said = capsys.readouterr().out
    assert "quantising the OpenVINO graph to int8 by 16 images" in said
    assert "drawn people" not in said
    assert "fp32, OpenVINO" in said and "int8, OpenVINO" in said and "CPU ms per image" in said
    assert f"Written: {tmp_path / 'model_int8.xml'}" in said
