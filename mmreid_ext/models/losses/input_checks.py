"""Check the inputs of losses; every message names the loss that was called.

Shapes: B rows, D dimensions of a feature.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmreid_ext.errors import UserError, UserTypeError


def check_rows(owner: nn.Module, feats: Tensor, name: str = "feats", /, **labels: Tensor) -> None:
    """Check a (B, D) floating tensor and the integer labels of its rows, without touching values.

    Args:
        owner: The loss, named in a message.
        feats: Expected shape (B, D) with B >= 1, floating point.
        name: What to call ``feats`` in a message.
        **labels: Expected shape (B,), an integer type; the keyword is the name in a message.

    Raises:
        TypeError: Wrong kind of dtype.
        ValueError: Wrong shape, or no row at all.
    """
    loss = type(owner).__name__
    if not feats.is_floating_point():
        raise UserTypeError(
            f"{loss}: {name} are {feats.dtype}, but must be floating point; call .float()."
        )
    if feats.ndim != 2 or feats.shape[0] == 0:
        raise UserError(
            f"{loss}: {name} have shape {tuple(feats.shape)}, but must be (N, D) with N >= 1; "
            "flatten pooled maps first, e.g. feats.flatten(1)."
        )
    for label_name, label in labels.items():
        if label.is_floating_point() or label.is_complex() or label.dtype == torch.bool:
            raise UserTypeError(
                f"{loss}: {label_name} are {label.dtype}, but must be integers; call .long()."
            )
        if label.shape != feats.shape[:1]:
            raise UserError(
                f"{loss}: {label_name} have shape {tuple(label.shape)}, "
                f"but must be ({feats.shape[0]},), one per row of {name}; "
                "take both from the same batch."
            )


def check_label_range(owner: nn.Module, pids: Tensor, num_classes: int) -> None:
    """Check that labels lie in ``[0, num_classes)``.

    Only on CPU tensors: on an accelerator the check would make the host wait for the device, and
    the indexing that follows has its own device-side assertion.

    Raises:
        ValueError: A label outside the range.
    """
    if pids.device.type != "cpu":
        return
    lowest, highest = int(pids.min()), int(pids.max())
    if lowest < 0 or highest >= num_classes:
        raise UserError(
            f"{type(owner).__name__}: pids range over [{lowest}, {highest}], "
            f"but num_classes={num_classes} allows [0, {num_classes - 1}]; "
            "set num_classes to the training set's number of identities "
            "and pass the relabelled pids."
        )


def check_dimension(owner: nn.Module, feats: Tensor, expected: int, argument: str) -> None:
    """Check that features (B, D) have the dimension for which the loss was built.

    Args:
        owner: The loss, named in a message.
        feats: Checked already by :func:`check_rows`.
        expected: The dimension D.
        argument: The constructor's argument that sets it.

    Raises:
        ValueError: They have another.
    """
    if feats.shape[1] != expected:
        loss = type(owner).__name__
        raise UserError(
            f"{loss}: {argument}={expected}, but feats have dimension {feats.shape[1]}; "
            f"build {loss} with {argument}={feats.shape[1]}."
        )


def check_at_least_one(owner: nn.Module, **sizes: int) -> None:
    """Check that sizes given to a constructor are at least 1.

    Raises:
        ValueError: One isn't.
    """
    for name, size in sizes.items():
        if size < 1:
            raise UserError(f"{type(owner).__name__}: {name}={size} must be at least 1.")
