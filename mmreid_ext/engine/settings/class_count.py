"""Compare the number of classes of a network with the identities of its training set."""

from __future__ import annotations

from torch import nn
from torch.utils.data import Dataset

from mmreid_ext.datasets.wrappers import unwrapped
from mmreid_ext.errors import UserError
from mmreid_ext.models.losses import CenterLoss


def check_num_classes(model: nn.Module, dataset: Dataset) -> None:
    """Compare the classifier with the training set, where both tell their number of classes.

    Raises:
        UserError: If they differ, or if data sets are strung together whose labels would merge.
    """
    found = getattr(unwrapped(dataset), "num_classes", None)
    built = getattr(getattr(model, "head", None), "num_classes", None)
    if found is not None and built is not None and found != built:
        raise UserError(
            f"The classifier has {built} classes, the training set {found} identities: "
            f"set `model.head.num_classes={found}` (in the configuration or by --cfg-options)."
        )
    for name, module in model.named_modules():
        if isinstance(module, CenterLoss) and found not in (None, len(module.centers)):
            raise UserError(
                f"The centre loss has {len(module.centers)} centres, the training set {found} "
                f"identities: set `model.{name}.num_classes={found}`."
            )
