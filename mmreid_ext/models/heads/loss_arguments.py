"""Name what a head can give to a loss; a loss asks by the names of the arguments of ``forward``."""

from __future__ import annotations

import inspect

from torch import nn

from mmreid_ext.errors import UserError
from mmreid_ext.suggest import did_you_mean

LOSS_ARGUMENTS = {
    "feats": "what metric losses compare, float (N, D)",
    "embeddings": "what retrieval compares and the classifier reads, float (N, D)",
    "logits": "identity scores, float (N, num_classes)",
    "pids": "labels in [0, num_classes), int64 (N,)",
    "domains": "number of the domain of each image, int64 (N,)",
}
"""Name and meaning of every argument; N images of this rank, D dimensions."""


def loss_arguments(name: str, loss: nn.Module) -> tuple[str, ...]:
    """Return the arguments that a head passes to a loss.

    Args:
        name: Name of the loss in the configuration, for messages.
        loss: Its ``forward`` may have other arguments if they have a default.

    Raises:
        UserError: If ``forward`` needs an argument that no head can give.
    """
    parameters = inspect.signature(loss.forward).parameters.values()
    named = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    for parameter in named:
        if parameter.name not in LOSS_ARGUMENTS and parameter.default is parameter.empty:
            known = "; ".join(f"{key} ({text})" for key, text in LOSS_ARGUMENTS.items())
            raise UserError(
                f"model.head.losses.{name}: {type(loss).__name__}.forward asks for "
                f"{parameter.name!r}{did_you_mean(parameter.name, LOSS_ARGUMENTS)}, but a head "
                f"gives {known}; rename the argument, or give it a default."
            )
    return tuple(p.name for p in named if p.name in LOSS_ARGUMENTS)
