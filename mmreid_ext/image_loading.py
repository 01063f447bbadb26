"""Tell the loader of a data set from its transforms, in settings and in built pipelines.

No other file knows the older form, a pipeline whose first transform loads the image.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .errors import UserError
from .type_names import type_name

DEFAULT_LOADER = {"type": "mmpretrain.LoadImageFromFile"}
"""Decodes a file and keeps its size."""


class ImageSteps(NamedTuple):
    """How a data set makes an image from a file, as settings or as built objects.

    Args:
        loader: Reads the file. None: no image is read.
        transforms: Change the image, in order.
    """

    loader: Any
    transforms: list[Any]

    @property
    def in_order(self) -> list[Any]:
        """All steps, the loader first."""
        return self.transforms if self.loader is None else [self.loader, *self.transforms]


def split_loading(loader: Any, pipeline: Sequence[Any], owner: str) -> ImageSteps:
    """Separate loading from transforming.

    Args:
        loader: The argument ``loader`` of a data set. None: the pipeline's first transform if that
            loads, else :data:`DEFAULT_LOADER`; no loader if the pipeline is empty.
        pipeline: The argument ``pipeline``.
        owner: Name of the data set, for messages.

    Raises:
        UserError: If a loader is given, and the pipeline loads, too.
    """
    if pipeline and is_loading(pipeline[0]):
        if loader is not None:
            raise UserError(
                f"{owner}: loader={_name(loader)} is given and the pipeline begins with "
                f"{_name(pipeline[0])}, which loads, too; "
                "delete one of the two, an inherited loader by loader=None."
            )
        return ImageSteps(pipeline[0], list(pipeline[1:]))
    if loader is None and pipeline:
        loader = dict(DEFAULT_LOADER)
    return ImageSteps(loader, list(pipeline))


def is_loading(transform: Any) -> bool:
    """Return whether a transform loads, which its name says by beginning with ``Load``."""
    return _name(transform).lower().startswith("load")


def only_decodes(loader: Any) -> bool:
    """Return whether a loader changes no pixel after decoding, as far as its name says."""
    return loader is not None and _name(loader) == type_name(DEFAULT_LOADER["type"])


def steps_of(dataset: Mapping[str, Any]) -> ImageSteps:
    """Read the steps from the settings of one data set; no loader if they have no pipeline."""
    owner = _name(dataset) if "type" in dataset else "dataset"
    return split_loading(dataset.get("loader"), dataset.get("pipeline") or (), owner)


def write_steps(dataset: dict[str, Any], steps: ImageSteps) -> None:
    """Write steps into the settings of one data set, in the form that these have already."""
    pipeline = dataset.get("pipeline") or ()
    if pipeline and is_loading(pipeline[0]):
        dataset["pipeline"] = steps.in_order
    else:
        dataset["loader"], dataset["pipeline"] = steps


def evaluation_steps(cfg: Mapping[str, Any]) -> ImageSteps | None:
    """Read the steps of the test images, else of the validation images; None without either.

    Wrappers around data sets (``dataset``, ``datasets``, ``sources``) are looked through.
    """
    for name in ("test_dataloader", "val_dataloader"):
        loader = cfg.get(name)
        found = _first_steps(loader.get("dataset")) if isinstance(loader, Mapping) else None
        if found is not None:
            return found
    return None


def _first_steps(dataset: Any) -> ImageSteps | None:
    if not isinstance(dataset, Mapping):
        return None
    if dataset.get("pipeline") or dataset.get("loader"):
        return steps_of(dataset)
    inner = [dataset.get("dataset")]
    for parts in ("datasets", "sources"):
        inner += list(dataset.get(parts) or [])
    return next((steps for steps in map(_first_steps, inner) if steps is not None), None)


def _name(part: Any) -> str:
    """Bare name of a transform or a data set: settings, a function or an object."""
    if isinstance(part, Mapping):
        return type_name(part.get("type"))
    return getattr(part, "__name__", type(part).__name__)
