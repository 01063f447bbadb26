"""Whole models in their initial state, where most parameters are equal, are exported correctly.

The exporter merges equal constants. In an untrained network with batch-instance norms nearly all
are equal, and it lost some of them: the file named values that weren't there.
"""

import pytest
import torch
from helpers.shrunk_models import different_models, shrunk, small_size
from mmengine.registry import DefaultScope

from mmreid_ext.compat.old_pytorch import BY_TRACING
from mmreid_ext.registry import MODELS

onnx = pytest.importorskip("onnx", reason="exporting needs the onnx package")
onnxruntime = pytest.importorskip("onnxruntime")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "name, model", different_models().items(), ids=lambda v: v if isinstance(v, str) else ""
)
@pytest.mark.slow
def test_the_initial_state_is_exported(name, model, tmp_path):
    with DefaultScope.overwrite_default_scope("mmpretrain"):
        torch.manual_seed(0)
        model = MODELS.build(shrunk(model)).eval()
    images = torch.randn(3, 3, *small_size(name))
    path = str(tmp_path / "model.onnx")
    torch.onnx.export(
        model,
        (images[:2],),
        path,
        **BY_TRACING,
        opset_version=17,
        input_names=["images"],
        dynamic_axes={"images": {0: "batch"}},
    )
    onnx.checker.check_model(path, full_check=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"images": images.numpy()})
    with torch.no_grad():
        torch.testing.assert_close(torch.from_numpy(found), model(images), atol=1e-5, rtol=0)
