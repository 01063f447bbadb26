"""Compare translated weights with a model: everything must have a place, and every place a weight.

What is compared and what isn't:

- Counters of batches are no weights; embeddings don't depend on them.
- A classifier and losses belong to the training. A model without them in the file keeps its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from mmreid_ext.checkpoint.weights import TRAINING_ONLY
from mmreid_ext.errors import UserError
from mmreid_ext.shorten import several, shorten

from .source import Translated

_COUNTER = "num_batches_tracked"


@dataclass
class Fit:
    """Which weights of a file a model takes.

    Attributes:
        state: Weights that fit, under our names.
        unknown: Names in the file that have no place in the model, by what they belong to.
        missing: Weights of the model that influence embeddings and that the file lacks.
        reshaped: Weights whose shape is another one, with both shapes.
        unset: Weights of the model for training alone that the file lacks.
    """

    state: dict[str, Tensor]
    unknown: dict[str, list[str]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    reshaped: list[str] = field(default_factory=list)
    unset: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether the model computes what the file's network computes, as far as names tell."""
        return not (self.unknown or self.missing or self.reshaped)


def fit(translated: Translated, wanted: Mapping[str, Tensor]) -> Fit:
    """Compare weights with a model's.

    Args:
        translated: Weights of a file under our names.
        wanted: The state dictionary of the model.
    """
    found = Fit({}, {what: list(names) for what, names in translated.refused.items()})
    for name, value in translated.state.items():
        origin = translated.origin[name]
        if name not in wanted:
            if not name.endswith(_COUNTER):
                found.unknown.setdefault("no part of this network", []).append(origin)
        elif value.shape != wanted[name].shape:
            shapes = f"{tuple(value.shape)}, here {tuple(wanted[name].shape)}"
            found.reshaped.append(f"{origin} {shapes}")
        else:
            found.state[name] = value.to(wanted[name].dtype)
    for name in wanted:
        if name in translated.state or name.endswith(_COUNTER):
            continue
        (found.unset if name.startswith(TRAINING_ONLY) else found.missing).append(name)
    return found


def require_complete(found: Fit, source: str, config: str) -> None:
    """Raise unless everything fits; lists what doesn't.

    Args:
        found: The comparison.
        source: Title of the program, for messages.
        config: Name of the configuration, for messages.

    Raises:
        UserError: Says which weights have no place, which are missing, and what to do.
    """
    if found.complete:
        return
    parts = [
        f"{several(len(names), 'weight')}, {what}: {shorten(names)}"
        for what, names in found.unknown.items()
    ]
    if found.missing:
        parts.append(f"missing in the file: {shorten(found.missing)}")
    if found.reshaped:
        parts.append(f"of another shape: {shorten(found.reshaped)}")
    raise UserError(
        f"This checkpoint of {source} isn't the network of {config}: {'; '.join(parts)}. "
        "Embeddings would be others than its own. Give the configuration of its network by "
        "--config, or take over what fits, to train on, by --partial."
    )
