"""The command line: with and without a configuration, one image and two."""

import pytest
from helpers.small_checkpoint import write_small_checkpoint
from helpers.tools import run_tool


def test_maps_of_pictures(tmp_path, monkeypatch, capsys):
    model, out = write_small_checkpoint(tmp_path), tmp_path / "map.png"
    pictures = [tmp_path / "0.png", tmp_path / "1.png"]
    said = []
    for inputs in ([model], [tmp_path / "tiny.py", model]):
        run_tool("visualize_attention", monkeypatch, *inputs, *pictures, "--out", out)
        assert out.read_bytes().startswith(b"\x89PNG")
        said.append(capsys.readouterr().out)
    assert said[0] == said[1] and said[0].startswith("similarity 0.")
    run_tool("visualize_attention", monkeypatch, model, pictures[0], "--out", out)
    assert capsys.readouterr().out.startswith("similarity 1.0000")
    with pytest.raises(SystemExit, match="map.txt has no suffix of a picture"):
        run_tool(
            "visualize_attention", monkeypatch, model, *pictures, "--out", out.with_suffix(".txt")
        )
    with pytest.raises(SystemExit, match="exported models have no gradients"):
        run_tool("visualize_attention", monkeypatch, "model.onnx", *pictures, "--out", out)
