"""ONNX Runtime loads our files, and refuses others in our words."""

import numpy as np
import onnx
import pytest
from helpers.exported_model import write_onnx

from mmreid_ext.deploy.engines.onnxruntime import OnnxRuntime
from mmreid_ext.errors import MissingFileError, UserError

INPUT = np.zeros((2, 3, 32, 16), np.float32)


def test_what_a_file_takes_and_gives(tmp_path):
    engine = OnnxRuntime(write_onnx(tmp_path), threads=1)
    assert engine.inside.shape == (None, 3, 32, 16) and engine.inside.batch is None
    assert engine.inside.dtype == "float32" and engine.inside.size == 8
    assert engine.run(INPUT).shape == (2, 8)
    with pytest.raises(UserError, match="can't be used by ONNX Runtime"):
        engine.run(INPUT[..., :3])


def test_weights_beside_the_file_are_read_and_others_refused(tmp_path):
    file = write_onnx(tmp_path)
    expected = OnnxRuntime(file).run(INPUT + 1)
    model = onnx.load(file)
    onnx.save(model, file, save_as_external_data=True, location="w.bin", size_threshold=0)
    assert np.array_equal(OnnxRuntime(file).run(INPUT + 1), expected)
    (tmp_path / "w.bin").rename(tmp_path / "x.bin")
    with pytest.raises(MissingFileError, match=r"weights in 'w.bin', which isn't beside it"):
        OnnxRuntime(file)
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    (tmp_path / "x.bin").rename(outside / "w.bin")
    inside = tmp_path / "inside"
    inside.mkdir()
    for place in (str(outside / "w.bin"), "../elsewhere/w.bin", "link.bin"):
        model = onnx.load(file, load_external_data=False)
        for tensor in model.graph.initializer:
            for entry in tensor.external_data:
                if entry.key == "location":
                    entry.value = place
        onnx.save(model, inside / "m.onnx")
        (inside / "link.bin").unlink(missing_ok=True)
        (inside / "link.bin").symlink_to(outside / "w.bin")
        with pytest.raises(UserError, match="outside of its folder, which is refused"):
            OnnxRuntime(inside / "m.onnx")


def test_a_damaged_file_is_told_on_one_line(tmp_path):
    file = write_onnx(tmp_path)
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    with pytest.raises(UserError, match=r"model.onnx can't be") as caught:
        OnnxRuntime(file)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("providers", [["CudaExecutionProvider"], [], "CPUExecutionProvider"])
def test_unknown_providers_are_told(tmp_path, providers):
    with pytest.raises(UserError, match=r"providers=.*CPUExecutionProvider.*onnxruntime-gpu"):
        OnnxRuntime(write_onnx(tmp_path), providers=providers)


def test_a_provider_that_does_not_start_is_told(tmp_path, monkeypatch):
    import onnxruntime

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider"])
    real = onnxruntime.InferenceSession

    def on_the_cpu(file, options, **others):
        return real(file, options, providers=["CPUExecutionProvider"])

    monkeypatch.setattr(onnxruntime, "InferenceSession", on_the_cpu)
    with pytest.raises(UserError, match="ONNX Runtime can't start CUDAExecutionProvider here"):
        OnnxRuntime(write_onnx(tmp_path), providers=["CUDAExecutionProvider"])
