"""A trained network from elsewhere: out of its exported file, through the conversion, to ours."""

import pytest
import torch
from helpers.paths import DATA
from helpers.tools import load_tool, run_tool

from mmreid_ext.apis import ReIDInferencer

FILE = DATA / "weights" / "osnet_x0_25_msmt17.onnx"
TOLERANCE = 1e-5  # float32, and norms that ONNX folded into convolutions; 1.6e-6 was seen


@pytest.mark.skipif(not FILE.is_file(), reason=f"no {FILE}")
def test_embeddings_are_those_of_the_exported_file(tmp_path, monkeypatch):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    run_tool("converters/unfold_onnx", monkeypatch, FILE, "--out", tmp_path / "theirs.pth")
    run_tool("convert", monkeypatch, tmp_path / "theirs.pth", "--out", tmp_path / "ours.pth")
    model = ReIDInferencer(tmp_path / "ours.pth", device="cpu").model
    images = torch.randn(2, 3, 256, 128, generator=torch.Generator().manual_seed(0))
    session = onnxruntime.InferenceSession(str(FILE))
    (theirs,) = session.run(None, {"images": images.numpy()})
    theirs = torch.nn.functional.normalize(torch.from_numpy(theirs))
    with torch.no_grad():
        assert (model.embed(images) - theirs).abs().max() < TOLERANCE
        assert (model.embed(images.flip(1)) - theirs).abs().max() > 1e-3


def test_modules_are_named_by_the_scopes_of_values():
    module_of = load_tool("converters/unfold_onnx").module_of
    assert module_of("/conv2/conv2.0/conv1/conv/Conv_output_0") == "conv2.0.conv1.conv"
    assert module_of("/conv1/conv/Conv_output_0") == "conv1.conv"
