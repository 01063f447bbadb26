"""Market-1501's hand-drawn boxes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmreid_ext.datasets.checks.record_checks import require_repeated_identity
from mmreid_ext.datasets.records import Count, Record
from mmreid_ext.datasets.reid_dataset import ReIDDataset
from mmreid_ext.errors import UserError
from mmreid_ext.registry import DATASETS


@DATASETS.register_module()
class Market1501GTBBox(ReIDDataset):
    """The folder ``gt_bbox`` of Market-1501: boxes drawn by hand, all 1,501 identities.

    Images sorted by name give identities in order of first appearance; the last 80 are the test
    set, the 1,421 before them the training set. This is the split of the PaddlePaddle tutorial on
    metric learning for tracking (AI Studio). Test images are queries and gallery at once: they all
    have the role ``'query'``, and ``'self_retrieval'`` compares each with all others, those of its
    own camera included. Scores don't compare with those of Market-1501's protocol, and a network
    trained on this split has seen most of Market's test identities.

    Zheng et al., "Scalable Person Re-identification: A Benchmark", ICCV 2015,
    https://doi.org/10.1109/ICCV.2015.133

    Args:
        *args: See :class:`ReIDDataset`.
        num_test_identities: Size of the test set. Another size than 80 isn't compared with the
            published counts. Defaults to 80.
        **kwargs: See :class:`ReIDDataset`; ``protocol`` defaults to ``'self_retrieval'`` for a cut,
            too.

    Raises:
        FileNotFoundError: If there is no folder ``gt_bbox``.
        ValueError: If the test identities would leave fewer than two to train on.

    Example:
        >>> dataset = dict(type='mmreid_ext.Market1501GTBBox', mode='test')
    """

    title = "market1501_gt_bbox"
    folder_names = (
        "Market-1501-v15.09.15",
        "market1501/Market-1501-v15.09.15",
        "market1501",
        "Market-1501",
    )
    layouts = (("gt_bbox",),)
    name_form = "0001_c1s1_001051_00.jpg (<identity>_c<camera>...)"
    overlapping = {"market1501": "gt_bbox shows the people of Market-1501, of its test too"}
    obtain = (
        "request Market-1501 from its authors' page; the complete Market-1501-v15.09.15.zip has it."
    )
    published = dict(query=Count(1014, 80))
    default_protocol = cut_protocol = "self_retrieval"
    pattern = re.compile(r"(?P<pid>\d+)_c(?P<cam>\d+)")

    def __init__(self, *args: Any, num_test_identities: int = 80, **kwargs: Any) -> None:
        if num_test_identities < 1:
            raise UserError(f"num_test_identities must be at least 1, got {num_test_identities}.")
        self.num_test_identities = num_test_identities
        if num_test_identities != 80:
            self.published = {}
        super().__init__(*args, **kwargs)

    def read(self, folder: Path) -> list[Record]:
        """Read the folder; the last identities to appear become the test set."""
        records = list(self.read_folder(folder / "gt_bbox", "train", self.pattern))
        appeared = list(dict.fromkeys(record["pid"] for record in records))
        if len(appeared) < self.num_test_identities + 2:
            raise UserError(
                f"{self.name} ({folder}) has {len(appeared)} identities: "
                f"num_test_identities={self.num_test_identities} leaves fewer than two to train on."
            )
        test = set(appeared[-self.num_test_identities :])
        for record in records:
            if record["pid"] in test:
                record["role"] = "query"
        return records

    def check_test(self, records: Sequence[Record], where: str) -> None:
        """Require an identity with two images: queries are the gallery."""
        require_repeated_identity(records, where)
