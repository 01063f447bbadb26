"""What an application must know about a trained model, as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

KEY = "mmreid_ext"
"""Where a checkpoint's ``meta`` holds it."""

FORMAT = 1
_NOT_PIXELS = ("LoadImageFromFile", "PackInputs", "PackReIDInputs")
# Settings of a model that don't touch its embeddings, wherever they stand.
_TRAINING_ONLY = frozenset(
    (
        *("losses", "train_losses", "loss_weight", "num_classes", "classifier", "classifier_bias"),
        *("init_cfg", "embedding_init", "pretrained", "frozen_stages", "norm_eval", "with_cp"),
        *("drop_rate", "drop_path_rate", "momentum", "requires_grad"),
    )
)


def deployment_info(
    model: nn.Module,
    pipeline: Sequence[Mapping[str, Any]],
    network: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Describe how an image becomes an embedding.

    Args:
        model: A :class:`mmreid_ext.models.ReIDModel`.
        pipeline: Configurations of the transforms of test images.
        network: Configuration of the model, for ``network``.

    Returns:
        Numbers, text, lists and dicts:

        - ``format``: 1.
        - ``embedding``: ``size``; ``l2_normalized``: whether the model returns unit vectors;
          ``distance`` to compare them with; ``flip_test``: whether that of the mirrored image is
          added in tests.
        - ``input``: ``height`` and ``width`` of the network's input (None where the images' own
          size is kept); ``steps``: resizing and cropping of an 8-bit image, in order (below);
          ``channel_order``, ``mean``, ``std``: then channels in that order, ``(pixel - mean) /
          std`` with pixels in 0..255 (None: the model has no such preprocessor).
        - ``network``: the settings of the model that change embeddings without changing the names
          or shapes of weights, such as ``strides``, by their path (``backbone.strides``).

        A step has a ``type``: ``resize`` to ``height`` x ``width``; ``resize_edge``: the edge named
        (``short``) to ``size``, the other to ``floor(other * size / short)``; ``center_crop`` of
        ``height`` x ``width`` from the offset ``round((image - crop) / 2)``. ``interpolation`` and
        ``backend`` are MMCV's names of the filter (``lanczos`` of ``cv2`` is ``INTER_LANCZOS4``).
    """
    steps = [_step(transform) for transform in pipeline if _name(transform) not in _NOT_PIXELS]
    height, width = _final_size(steps)
    return dict(
        format=FORMAT,
        embedding=dict(
            size=embedding_size(model),
            l2_normalized=True,
            distance="cosine",
            flip_test=bool(getattr(model, "flip_test", False)),
        ),
        input=dict(height=height, width=width, steps=steps, **_normalization(model)),
        network=network_settings(network or {}),
    )


def embedding_size(model: nn.Module) -> int:
    """Length of the embeddings of a :class:`mmreid_ext.models.ReIDModel`."""
    head = model.head
    return int(getattr(head, "embedding_dim", head.in_channels))


def network_settings(model: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a model's configuration that decide what its weights compute, by their path."""
    settings: dict[str, Any] = {}
    for part in ("backbone", "neck", "head", "stage_plugins"):
        _flatten(model.get(part), part, settings)
    settings["stem_relu"] = model.get("stem_relu", True)
    return settings


def _flatten(value: Any, path: str, settings: dict[str, Any]) -> None:
    if path.rpartition(".")[2] in _TRAINING_ONLY:
        return
    if isinstance(value, Mapping):
        for key, item in value.items():
            _flatten(item, f"{path}.{key}", settings)
    elif path.endswith(".type"):
        settings[path] = _type_name(value)
    else:
        settings[path] = _plain(value)


def _type_name(kind: Any) -> str:
    """Name of a registered type, given by name (with or without scope) or as a class."""
    name = kind.__name__ if isinstance(kind, type) else str(kind)
    return name.rpartition(".")[2]


def _name(transform: Mapping[str, Any]) -> str:
    return _type_name(transform["type"])


def _step(transform: Mapping[str, Any]) -> dict[str, Any]:
    """A transform as ``resize``, ``resize_edge`` or ``center_crop``; others as configured."""
    name = _name(transform)
    if name == "LoadResized":
        width, height = _pair(transform["scale"])
        filters = dict(interpolation=transform.get("interpolation", "bicubic"), backend="cv2")
        return dict(type="resize", height=height, width=width, **filters)
    if name in ("Resize", "ResizeEdge"):
        filters = dict(
            interpolation=transform.get("interpolation", "bilinear"),
            backend=transform.get("backend", "cv2"),
        )
        if name == "ResizeEdge":
            edge = transform.get("edge", "short")
            return dict(type="resize_edge", edge=edge, size=int(transform["scale"]), **filters)
        if "scale" in transform and not transform.get("keep_ratio", False):
            width, height = _pair(transform["scale"])
            return dict(type="resize", height=height, width=width, **filters)
    if name == "CenterCrop" and not transform.get("efficientnet_style", False):
        width, height = _pair(transform["crop_size"])
        return dict(type="center_crop", height=height, width=width)
    kind = transform["type"]
    kind = kind.__name__ if isinstance(kind, type) else kind
    return {key: _plain(value) for key, value in {**transform, "type": kind}.items()}


def _pair(value: int | Sequence[int]) -> tuple[int, int]:
    """MMCV's (width, height), or one number for both."""
    width, height = (value, value) if isinstance(value, int) else value
    return int(width), int(height)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, type):
        return value.__name__
    return value if isinstance(value, (bool, int, float, str, type(None))) else str(value)


def _final_size(steps: Sequence[Mapping[str, Any]]) -> tuple[int | None, int | None]:
    """Height and width after the last step; None unless that step fixes them."""
    if steps and steps[-1]["type"] in ("resize", "center_crop"):
        return steps[-1]["height"], steps[-1]["width"]
    return None, None


def _normalization(model: nn.Module) -> dict[str, Any]:
    preprocessor = model.data_preprocessor
    mean, std = (getattr(preprocessor, name, None) for name in ("mean", "std"))
    # MMPretrain keeps images in OpenCV's order and swaps the channels on request.
    order = "RGB" if getattr(preprocessor, "to_rgb", False) else "BGR"
    return dict(channel_order=order, mean=_numbers(mean), std=_numbers(std))


def _numbers(values: Tensor | None) -> list[float] | None:
    """float32 values as the short decimals that they were written as."""
    return None if values is None else [round(v, 4) for v in values.flatten().tolist()]
