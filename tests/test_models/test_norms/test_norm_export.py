import copy
import shutil

import pytest
import torch
from helpers.bin_layers import make_images, make_layer

from mmreid_ext.compat.old_pytorch import BY_TRACING
from mmreid_ext.version import torch_is_at_least


@pytest.fixture
def layer():
    return make_layer(5, torch.float32).eval()


def images(num_images=2, seed=1):
    return make_images(num_images, 5, 6, 4, dtype=torch.float32, seed=seed)


@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
def test_trace_equals_eager(layer):
    traced = torch.jit.trace(layer, images())
    for other in (images(2, seed=7), images(3, seed=8)):  # nothing of the example is baked in
        torch.testing.assert_close(traced(other), layer(other))


@pytest.mark.skipif(not torch_is_at_least(2, 2), reason="torch.export.Dim came with PyTorch 2.2")
def test_torch_export_equals_eager(layer):
    batch = torch.export.Dim("batch", min=2, max=64)
    program = torch.export.export(layer, (images(3),), dynamic_shapes=({0: batch},))
    for other in (images(3, seed=7), images(5, seed=8)):
        torch.testing.assert_close(program.module()(other), layer(other))


@pytest.mark.filterwarnings("ignore")
def test_onnx_equals_eager(layer, tmp_path):
    pytest.importorskip("onnx", reason="ONNX export needs the onnx package")
    onnxruntime = pytest.importorskip("onnxruntime")
    path = str(tmp_path / "layer.onnx")
    torch.onnx.export(
        layer,
        (images(),),
        path,
        **BY_TRACING,
        input_names=["x"],
        dynamic_axes={"x": {0: "batch"}},
    )
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    other = images(3, seed=8)
    (found,) = session.run(None, {"x": other.numpy()})
    torch.testing.assert_close(torch.from_numpy(found), layer(other))


def has_compiler():
    return shutil.which("g++") is not None or shutil.which("clang++") is not None


@pytest.mark.slow
@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
def test_compiled_equals_eager(layer, training):
    """In training with generated kernels, whose C++ takes seconds; else by the traced graphs."""
    if training and not has_compiler():
        pytest.skip("torch.compile needs a C++ compiler")
    eager = layer.train(training)
    compiled = torch.compile(copy.deepcopy(layer), backend="inductor" if training else "aot_eager")
    x = images().requires_grad_()
    y, expected = compiled(x), eager(x)
    torch.testing.assert_close(y, expected)
    torch.testing.assert_close(
        torch.autograd.grad(y.square().sum(), x), torch.autograd.grad(expected.square().sum(), x)
    )
    torch.testing.assert_close(compiled.running_var, eager.running_var)
