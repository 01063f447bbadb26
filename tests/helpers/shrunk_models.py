"""Models of all configurations in small: one of each kind that an exporter could tell apart."""

from mmengine.config import Config

from .paths import CONFIGS

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


def small_size(name: str) -> tuple[int, int]:
    """Height and width of images for the shrunk model of a configuration."""
    return (56, 28) if "dinov2" in name else (64, 32)


def signature(model: dict) -> str:
    """What of a model decides how it is exported."""
    backbone = {
        k: v for k, v in model["backbone"].items() if k not in ("init_cfg", "frozen_stages")
    }
    others = {k: v for k, v in model.items() if k not in ("backbone", "head", "init_cfg")}
    head = {k: v for k, v in model["head"].items() if k in ("type", "with_neck", "test_feature")}
    return repr((backbone, others, head))


def different_models() -> dict[str, dict]:
    """One configuration for each signature, by its name."""
    found: dict[str, tuple[str, dict]] = {}
    for path in sorted(CONFIGS.glob("*.py")):
        model = Config.fromfile(path).model
        found.setdefault(signature(model), (path.stem, model))
    return dict(found.values())
