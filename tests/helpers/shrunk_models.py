"""Models of all configurations in small: one of each kind that an exporter could tell apart."""

from mmengine.config import Config

from .paths import CONFIGS

SHRINK, WIDE = 8, 64


def narrow(model: dict) -> dict:
    """The model with an eighth of its channels, or two layers, where that is a setting.

    Networks that are narrow already stay as they are: with 4 channels, the backward pass of a 1x1
    convolution that strides over channels-last maps damages the heap (PyTorch 2.11).
    """
    backbone, head = model["backbone"], model["head"]
    backbone["init_cfg"] = None
    if "ResNet" in backbone["type"] and backbone.get("base_channels", WIDE) >= WIDE:
        for part in ("base_channels", "stem_channels"):
            backbone[part] = backbone.get(part, WIDE) // SHRINK
        for part in head["losses"].values():
            if part.get("feat_dim") == head["in_channels"]:
                part["feat_dim"] //= SHRINK
        head["in_channels"] //= SHRINK
    if backbone["type"] == "VisionTransformer":
        backbone["arch"] = dict(
            embed_dims=head["in_channels"], num_layers=2, num_heads=6, feedforward_channels=96
        )
    return model


def shrunk(model: dict) -> dict:
    """The narrow model, for small images."""
    backbone = narrow(model)["backbone"]
    if backbone["type"] == "VisionTransformer":
        backbone.update(img_size=(64, 32) if backbone.get("patch_size") == 16 else (56, 28))
    return model


def small_size(name: str) -> tuple[int, int]:
    """Height and width of images for the shrunk model of a configuration."""
    return (56, 28) if "dinov2" in name else (64, 32)


def parts_of(model: dict) -> set[str]:
    """What of a model decides how it is exported; numbers of channels and of blocks don't."""
    backbone, head = model["backbone"], model["head"]
    sizes = ("init_cfg", "frozen_stages", "depth", "strides", "width", "img_size")
    kind = {k: v for k, v in backbone.items() if k not in sizes and "channels" not in k}
    settings = ("channels_last", "neck", "stem_relu", "stage_plugins", "stem_pool")
    return {
        repr((backbone.get("depth", 0) >= 50, sorted(kind.items(), key=str))),
        repr(("strides", backbone.get("strides"))),
        *(repr((name, model.get(name))) for name in settings),
        repr([head.get(k) for k in ("type", "with_neck", "test_feature")]),
    }


def different_models() -> dict[str, dict]:
    """The models with a part that none before has, by their configurations; small ones first."""
    found, seen = {}, set()
    for path in sorted(CONFIGS.glob("*.py"), key=lambda path: ("r18" not in path.stem, path.stem)):
        model = Config.fromfile(path).model
        if not parts_of(model) <= seen:
            found[path.stem] = model
        seen |= parts_of(model)
    return found
