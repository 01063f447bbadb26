"""Whole models in their initial state, where most parameters are equal, are exported correctly.

The exporter merges equal constants. In an untrained network with batch-instance norms nearly all
are equal, and it lost some of them: the file named values that weren't there.
"""

import pytest
import torch
from helpers.paths import CONFIGS
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mmreid_ext.registry import MODELS

onnx = pytest.importorskip("onnx", reason="exporting needs the onnx package")
onnxruntime = pytest.importorskip("onnxruntime")

SHRINK = 8


def shrunk(model: dict) -> dict:
    """The model with an eighth of its channels where the backbone has such a setting."""
    backbone = model["backbone"]
    backbone["init_cfg"] = None
    if "ResNet" in backbone["type"]:
        for part in ("base_channels", "stem_channels"):
            backbone[part] = backbone.get(part, 64) // SHRINK
        model["head"]["in_channels"] //= SHRINK
    if backbone["type"] == "VisionTransformer":
        backbone.update(img_size=(64, 32) if backbone.get("patch_size") == 16 else (56, 28))
    return model


def signature(model: dict) -> str:
    """What of a model decides how it is exported."""
    backbone = {
        k: v for k, v in model["backbone"].items() if k not in ("init_cfg", "frozen_stages")
    }
    parts = (backbone, model.get("neck"), model.get("stem_relu"), model["head"]["type"])
    return repr(parts)


def different_models() -> dict[str, dict]:
    """One configuration for each signature, by its name."""
    found = {}
    for path in sorted(CONFIGS.glob("*.py")):
        model = Config.fromfile(path).model
        found.setdefault(signature(model), (path.stem, model))
    return dict(found.values())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "name, model", different_models().items(), ids=lambda v: v if isinstance(v, str) else ""
)
@pytest.mark.slow
def test_the_initial_state_is_exported(name, model, tmp_path):
    with DefaultScope.overwrite_default_scope("mmpretrain"):
        torch.manual_seed(0)
        model = MODELS.build(shrunk(model)).eval()
    size = (56, 28) if "dinov2" in name else (64, 32)
    images = torch.randn(3, 3, *size)
    path = str(tmp_path / "model.onnx")
    torch.onnx.export(
        model,
        (images[:2],),
        path,
        dynamo=False,
        opset_version=17,
        input_names=["images"],
        dynamic_axes={"images": {0: "batch"}},
    )
    onnx.checker.check_model(path, full_check=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"images": images.numpy()})
    with torch.no_grad():
        torch.testing.assert_close(torch.from_numpy(found), model(images), atol=1e-5, rtol=0)
