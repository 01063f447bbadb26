"""A checkpoint's record of its own use: described and written, read, compared.

``DeploymentInfoHook`` writes the record into ``meta['mmreid_ext']``. It holds numbers, text, lists
and dicts:

- ``format``: 1.
- ``embedding``: ``size``; ``l2_normalized``: whether the model returns unit vectors; ``distance``
  to compare them with; ``flip_test``: whether tests add the embedding of the mirrored image.
- ``input``: ``height`` and ``width`` of the network's input (None where the images keep their own
  size); ``steps``: resizing and cropping of an 8-bit image, in order; ``channel_order``, ``mean``,
  ``std``: then channels in that order, ``(pixel - mean) / std`` with pixels in 0..255 (None: the
  model has no such preprocessor).
- ``config``: the part of the configuration that building the embedder needs (see
  :mod:`mmreid_ext.checkpoint.usage.configuration`), so that the checkpoint alone is enough. Earlier
  versions don't write it, and readers of format 1 pass over it.
- ``thresholds``: from which similarity on two images count as one person, by false positive rate
  and test set, see :class:`mmreid_ext.verdicts.thresholds.Threshold`. Testing writes it.
- ``network``: the settings of the model that change embeddings without changing the names or
  shapes of weights, by their path (``backbone.strides``), defaults included; and ``strides``: those
  of the built layers that have one, by the layer's name.

A step has a ``type``: ``resize`` to ``height`` x ``width``; ``resize_edge``: the edge named
(``short``) to ``size``, the other to ``floor(other * size / short)``; ``center_crop`` of ``height``
x ``width`` from the offset ``round((image - crop) / 2)``. ``interpolation`` and ``backend`` are
MMCV's names of the filter (``lanczos`` of ``cv2`` is ``INTER_LANCZOS4``).
"""

from mmreid_ext.verdicts.thresholds import (
    COARSE_FPR,
    STORED_FPRS,
    Threshold,
    read_thresholds,
    threshold_sets,
)

from .check import check_usage, compare_usage
from .configuration import config_of, describe_config, model_settings, recorded_config
from .description import deployment_info, embedding_size
from .record import KEY, read_deployment_info, recorded, recorded_size
from .thresholds import store_thresholds

__all__ = [
    "COARSE_FPR",
    "KEY",
    "STORED_FPRS",
    "Threshold",
    "check_usage",
    "compare_usage",
    "config_of",
    "deployment_info",
    "describe_config",
    "embedding_size",
    "model_settings",
    "read_deployment_info",
    "read_thresholds",
    "recorded",
    "recorded_config",
    "recorded_size",
    "store_thresholds",
    "threshold_sets",
]
