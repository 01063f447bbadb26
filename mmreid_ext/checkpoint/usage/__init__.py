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
- ``network``: the settings of the model that change embeddings without changing the names or
  shapes of weights, by their path (``backbone.strides``), defaults included; and ``strides``: those
  of the built layers that have one, by the layer's name.

A step has a ``type``: ``resize`` to ``height`` x ``width``; ``resize_edge``: the edge named
(``short``) to ``size``, the other to ``floor(other * size / short)``; ``center_crop`` of ``height``
x ``width`` from the offset ``round((image - crop) / 2)``. ``interpolation`` and ``backend`` are
MMCV's names of the filter (``lanczos`` of ``cv2`` is ``INTER_LANCZOS4``).
"""

from .check import check_usage, compare_usage
from .description import deployment_info, embedding_size
from .record import KEY, read_deployment_info, recorded_size

__all__ = [
    "KEY",
    "check_usage",
    "compare_usage",
    "deployment_info",
    "embedding_size",
    "read_deployment_info",
    "recorded_size",
]
