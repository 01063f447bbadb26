"""VeRi-776."""

from __future__ import annotations

from mmreid_ext.datasets.records import Count
from mmreid_ext.registry import DATASETS

from .market1501 import Market1501


@DATASETS.register_module()
class VeRi776(Market1501):
    """VeRi-776: vehicles, 576 for training and 200 for testing, twenty cameras.

    Names are ``<vehicle>_c<camera>_<frame>_<box>.jpg`` in ``image_train``, ``image_query``,
    ``image_test``.

    Liu et al., "A Deep Learning-Based Approach to Progressive Vehicle Re-identification for Urban
    Surveillance", ECCV 2016, https://doi.org/10.1007/978-3-319-46475-6_53

    Args:
        *args: See :class:`ReIDDataset`.
        **kwargs: See :class:`ReIDDataset`.
    """

    title = "veri776"
    folder_names = ("VeRi", "veri", "VeRi-776", "veri776", "VeRi_776", "VeRi_with_plate")
    layouts = (("image_train", "image_query", "image_test"),)
    name_form = "0001_c001_00016450_0.jpg (<vehicle>_c<camera>_...)"
    obtain = "request VeRi-776 from its authors."
    published = dict(train=Count(37778, 576), query=Count(1678, 200), gallery=Count(11579, 200))
    distractor_pids = frozenset()
    parts = dict(train="image_train", query="image_query", gallery="image_test")
