"""Load trained weights for testing and inference, and say plainly when they don't fit."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.shorten import brief, shorten

from .safe_load import safe_load

_LONGEST_NAME = 1000

# Parts that only training uses: a test set has other identities, and losses may have parameters.
TRAINING_ONLY = ("head.classifier.", "head.losses.")


def load_weights(model: nn.Module, path: str | os.PathLike) -> None:
    """Load a checkpoint into a model that will not be trained.

    Args:
        model: A :class:`mmreid_ext.models.ReIDModel`, possibly wrapped for distributed runs.
        path: Checkpoint with a ``state_dict``, or a plain state dictionary. Nothing in it is
            executed.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file holds no weights, or if a weight that influences embeddings is
            missing, unknown, or of another shape. The model is then unchanged.
    """
    load_state(model, read_checkpoint(path), path)


def read_checkpoint(path: str | os.PathLike) -> Any:
    """Load a checkpoint as data.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is damaged or holds code.
    """
    if not os.path.isfile(path):
        raise MissingFileError(f"No checkpoint {path}.")
    return safe_load(path, map_location="cpu")


def load_state(model: nn.Module, loaded: Any, path: str | os.PathLike) -> None:
    """Put the weights of a loaded checkpoint into a model; see :func:`load_weights`.

    Args:
        model: As there.
        loaded: Content of the checkpoint.
        path: Its name, for messages.
    """
    state = state_of(loaded, path)
    model = getattr(model, "module", model)
    wanted = {name: v for name, v in model.state_dict().items() if _needed(name)}
    given = {name: v for name, v in state.items() if _needed(name)}
    problems = differing_entries(wanted, given)
    if problems:
        raise UserError(
            f"The weights in {path} are not those of this model: {shorten(problems, '; ')}. "
            "Use the checkpoint's configuration."
        )
    model.load_state_dict(given, strict=False)


def differing_entries(wanted: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> list[str]:
    """Say which entries of a state dictionary are missing, unknown or of another shape.

    Args:
        wanted: Entries of the model.
        given: Entries of the file.
    """
    problems = [
        f"{name} has shape {tuple(given[name].shape)} instead of {tuple(value.shape)}"
        for name, value in wanted.items()
        if name in given and given[name].shape != value.shape
    ]
    problems += [f"{name} is missing" for name in wanted if name not in given]
    return problems + [f"{name} is unknown" for name in given if name not in wanted]


def state_of(loaded: Any, path: str | os.PathLike) -> dict[str, Tensor]:
    """Return the weights of a loaded checkpoint by their names in the model.

    Args:
        loaded: Content of the checkpoint.
        path: Its name, for messages.

    Raises:
        UserError: If it holds none.
    """
    state = loaded.get("state_dict", loaded) if isinstance(loaded, Mapping) else None
    if not isinstance(state, Mapping) or not all(isinstance(v, Tensor) for v in state.values()):
        raise UserError(
            f"{path} holds no weights: expected a state dictionary, or one under 'state_dict'."
        )
    return {name.removeprefix("module."): value for name, value in state.items()}


def _needed(name: str) -> bool:
    """Whether embeddings depend on it; early batch-norm checkpoints lack the counter of batches."""
    return not name.startswith(TRAINING_ONLY) and not name.endswith("num_batches_tracked")


def require_names(state: Any) -> None:
    """Raise unless something is a dictionary whose keys are names, as a state dictionary is.

    MMEngine prints the names that a model lacks.

    Raises:
        UserError: Says what it is.
    """
    if not isinstance(state, Mapping):
        raise UserError(
            f"The checkpoint's state_dict is a {type(state).__name__}, must be a dictionary of "
            "weights by name; take another checkpoint."
        )
    if not all(isinstance(name, str) for name in state):
        raise UserError(
            "The checkpoint's state_dict has keys that are no text, must be a dictionary of "
            "weights by name; take another checkpoint."
        )
    odd = next((n for n in state if not n.isprintable() or len(n) > _LONGEST_NAME), None)
    if odd is not None:
        raise UserError(
            f"The checkpoint's state_dict has the key {brief(odd)}, which is no name of a weight; "
            "take another checkpoint."
        )


def with_names(checkpoint: Any) -> Any:
    """Return a loaded checkpoint, once its weights are known to have names.

    Raises:
        UserError: If they have none; see :func:`require_names`.
    """
    if isinstance(checkpoint, Mapping) and "state_dict" in checkpoint:
        require_names(checkpoint["state_dict"])
    elif isinstance(checkpoint, Mapping):
        require_names(checkpoint)
    return checkpoint
