"""Load trained weights for testing and inference, and say plainly when they don't fit."""

from __future__ import annotations

import os

from torch import nn

from mmreid_ext.checkpoint import safe_load

# Parts that only training uses: a test set has other identities, and losses may have parameters.
TRAINING_ONLY = ("head.classifier.", "head.losses.")


def load_weights(model: nn.Module, path: str | os.PathLike) -> None:
    """Load a checkpoint into a model that will not be trained.

    Args:
        model: A :class:`mmreid_ext.models.ReIDModel`, possibly wrapped for distributed runs.
        path: Checkpoint with a ``state_dict``, or a plain state dictionary. Nothing in it is executed.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If a weight that influences embeddings is missing, unknown, or of another shape.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(f"No checkpoint {path}.")
    loaded = safe_load(path, map_location="cpu")
    state = loaded.get("state_dict", loaded)
    state = {name.removeprefix("module."): value for name, value in state.items()}
    model = getattr(model, "module", model)
    wanted = model.state_dict()
    problems = [
        f"{name} has shape {tuple(state[name].shape)} instead of {tuple(value.shape)}"
        for name, value in wanted.items()
        if name in state and state[name].shape != value.shape and not _training_only(name)
    ]
    problems += [f"{name} is missing" for name in wanted if name not in state and not _training_only(name)]
    problems += [f"{name} is unknown" for name in state if name not in wanted and not _training_only(name)]
    if problems:
        shown = "; ".join(problems[:5]) + (f"; and {len(problems) - 5} more" if len(problems) > 5 else "")
        raise ValueError(f"The weights in {path} are not those of this model: {shown}. Use the checkpoint's configuration.")
    fitting = {name: value for name, value in state.items() if name in wanted and value.shape == wanted[name].shape}
    model.load_state_dict(fitting, strict=False)


def _training_only(name: str) -> bool:
    return name.startswith(TRAINING_ONLY)
