"""What a checkpoint says about its own use: described when it is written, read by applications."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.json_values import plain_json

from .safe_load import safe_load

KEY = "mmreid_ext"
"""Where a checkpoint's ``meta`` holds it."""

FORMAT = 1
STRIDES = "strides"
"""Where ``network`` holds the strides of the built model, by layer."""

_NOT_PIXELS = ("LoadImageFromFile", "PackInputs", "PackReIDInputs")
# Settings of a model that don't touch its embeddings, wherever they stand.
_TRAINING_ONLY = frozenset(
    (
        *("losses", "train_losses", "loss_weight", "num_classes", "classifier", "classifier_bias"),
        *("init_cfg", "embedding_init", "pretrained", "frozen_stages", "norm_eval", "with_cp"),
        *("drop_rate", "drop_path_rate", "momentum", "requires_grad", "neck_bias"),
        *("classifier_init", "zero_init_residual", "p_trainable"),
    )
)
# In evaluation they are one function.
_BATCH_NORMS = ("BN", "BN1d", "BN2d", "SyncBN", "SyncBatchNorm", "MMSyncBN")


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
          or shapes of weights, by their path (``backbone.strides``), defaults included; and
          ``strides``: those of the built layers that have one, by the layer's name.

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
        network=network_settings(model, network),
    )


def embedding_size(model: nn.Module) -> int:
    """Length of the embeddings of a :class:`mmreid_ext.models.ReIDModel`."""
    head = model.head
    return int(getattr(head, "embedding_dim", head.in_channels))


def network_settings(model: nn.Module, network: Mapping[str, Any] | None) -> dict[str, Any]:
    """Settings that decide what a model's weights compute, by their path.

    Args:
        model: The model that was built.
        network: Its configuration; None where the model was given as a module: then only strides,
            kind of pooling and chosen feature are known.
    """
    settings: dict[str, Any] = {STRIDES: _strides(model)}
    neck, feature = getattr(model, "neck", None), getattr(model.head, "test_feature", None)
    settings["neck.type"] = None if neck is None else type(neck).__name__
    settings["head.test_feature"] = feature
    if network is None:
        return settings
    for name in ("backbone", "neck", "head"):
        part = getattr(model, name, None)
        if isinstance(part, nn.Module):
            _flatten({**_defaults(type(part)), **(network.get(name) or {})}, name, settings)
    _flatten(network.get("stage_plugins"), "stage_plugins", settings)
    settings["stem_relu"] = network.get("stem_relu", True)
    return settings


def _strides(model: nn.Module) -> dict[str, list[int]]:
    found = {}
    for name, layer in model.named_modules():
        stride = getattr(layer, "stride", None)
        pair = [stride] * 2 if isinstance(stride, int) else list(stride or ())
        if pair and any(step != 1 for step in pair) and all(isinstance(step, int) for step in pair):
            found[name] = pair
    return found


def _defaults(kind: type) -> dict[str, Any]:
    """Default arguments of a class, those that it hands on to its bases included."""
    found: dict[str, Any] = {}
    for base in reversed(kind.__mro__):
        if "__init__" in vars(base) and base.__module__.split(".")[0] != "torch":
            parameters = inspect.signature(vars(base)["__init__"]).parameters.values()
            found |= {p.name: p.default for p in parameters if p.default is not p.empty}
    return found


def _flatten(value: Any, path: str, settings: dict[str, Any]) -> None:
    if path.rpartition(".")[2] in _TRAINING_ONLY:
        return
    if isinstance(value, Mapping):
        for key, item in value.items():
            _flatten(item, f"{path}.{key}", settings)
    elif path.endswith(".type"):
        name = _type_name(value)
        settings[path] = "BN" if name in _BATCH_NORMS else name
    else:
        settings[path] = plain_json(value)


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
    return plain_json(transform)


def _pair(value: int | Sequence[int]) -> tuple[int, int]:
    """MMCV's (width, height), or one number for both."""
    width, height = (value, value) if isinstance(value, int) else value
    return int(width), int(height)


def _final_size(steps: Sequence[Mapping[str, Any]]) -> tuple[int | None, int | None]:
    """Height and width after the last step; None unless that step fixes them."""
    if steps and steps[-1]["type"] in ("resize", "center_crop"):
        return steps[-1]["height"], steps[-1]["width"]
    return None, None


def _normalization(model: nn.Module) -> dict[str, Any]:
    preprocessor = model.data_preprocessor
    mean, std = (getattr(preprocessor, name, None) for name in ("mean", "std"))
    # MMPretrain keeps images in OpenCV's order and swaps the channels on request.
    # MMEngine's own does so by either of its two options.
    swaps = ("to_rgb", "_channel_conversion")
    order = "RGB" if any(getattr(preprocessor, name, False) for name in swaps) else "BGR"
    return dict(channel_order=order, mean=_numbers(mean), std=_numbers(std))


def _numbers(values: Tensor | None) -> list[float] | None:
    """float32 values as the short decimals that they were written as."""
    return None if values is None else [round(v, 4) for v in values.flatten().tolist()]


def read_deployment_info(checkpoint: str | os.PathLike) -> dict[str, Any]:
    """Read embedding size, normalisation and preprocessing from a checkpoint of this package.

    Args:
        checkpoint: File; nothing in it is executed.

    Returns:
        See :func:`deployment_info`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it doesn't hold the information, or in a later format.

    Example:
        >>> info = read_deployment_info('work_dirs/arcmargin_r50vd_market_eml/iter_10000.pth')
        >>> info['embedding']['size'], info['input']['height'], info['input']['width']
        (128, 128, 128)
    """
    if not os.path.isfile(checkpoint):
        raise MissingFileError(f"No checkpoint {checkpoint}.")
    loaded = safe_load(checkpoint, map_location="cpu")
    meta = loaded.get("meta") if isinstance(loaded, Mapping) else None
    info = meta.get(KEY) if isinstance(meta, Mapping) else None
    if not isinstance(info, Mapping):
        raise UserError(
            f"{checkpoint} doesn't say how to use it (meta[{KEY!r}] is missing): train with "
            "`default_hooks = dict(deployment_info=dict(type='mmreid_ext.DeploymentInfoHook'))`, "
            "which configs/_base_/default_runtime.py has."
        )
    if info.get("format") != FORMAT:
        raise UserError(
            f"{checkpoint} describes itself in format {info.get('format')!r}, this version of "
            f"mmreid_ext reads format {FORMAT}: upgrade the package."
        )
    return dict(info)
