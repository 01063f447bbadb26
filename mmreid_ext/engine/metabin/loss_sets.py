"""Name the losses of each stage of MetaBIN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mmreid_ext.errors import UserError, UserTypeError
from mmreid_ext.suggest import did_you_mean

_OWNER = "MetaBINTrainLoop"


class LossSets(NamedTuple):
    """Names of the head's losses used by each stage."""

    base: tuple[str, ...]
    meta_train: tuple[str, ...]
    meta_test: tuple[str, ...]


LOSS_SETS = {
    # Official code, one data set whose cameras are the domains.
    "single_source": LossSets(
        ("ce", "triplet"), ("ce", "shuffle", "triplet", "scatter"), ("ce", "triplet")
    ),
    # Official code, several data sets.
    "multi_source": LossSets(("ce", "triplet"), ("shuffle", "triplet", "scatter"), ("triplet",)),
    # The PaddleClas port, for one data set and for several.
    "paddleclas": LossSets(
        ("ce", "triplet"), ("ce", "triplet", "scatter", "shuffle"), ("ce", "triplet")
    ),
}


def resolve_loss_sets(value: LossSets | str | Mapping[str, Sequence[str]]) -> LossSets:
    """Turn the setting ``loss_sets`` into names for each stage.

    Raises:
        UserTypeError: If it, or the names of a stage, are of another type.
        UserError: If a name of a set or a stage is unknown, or a stage has no loss.
    """
    if isinstance(value, LossSets):
        value = value._asdict()
    if isinstance(value, str):
        if value not in LOSS_SETS:
            raise UserError(
                f"{_OWNER}: loss_sets must be one of {', '.join(LOSS_SETS)} or a dict, got "
                f"{value!r}{did_you_mean(value, LOSS_SETS)}."
            )
        return LOSS_SETS[value]
    if not isinstance(value, Mapping):
        raise UserTypeError(
            f"{_OWNER}: loss_sets={value!r} must be one of {', '.join(LOSS_SETS)} or a dict."
        )
    if set(value) != set(LossSets._fields):
        raise UserError(
            f"{_OWNER}: loss_sets needs the keys {', '.join(LossSets._fields)}, got "
            f"{sorted(map(str, value))}."
        )
    for stage, names in value.items():
        _check_names(stage, names)
    return LossSets(**{stage: tuple(names) for stage, names in value.items()})


def _check_names(stage: str, names: Sequence[str]) -> None:
    """Check the names of one stage."""
    if isinstance(names, str) or not isinstance(names, Sequence):
        raise UserTypeError(
            f"{_OWNER}: loss_sets.{stage}={names!r} must be a list of names, such as ['ce']."
        )
    if not all(isinstance(name, str) for name in names):
        raise UserTypeError(f"{_OWNER}: loss_sets.{stage}={names!r}: names must be strings.")
    if not names:
        raise UserError(f"{_OWNER}: loss_sets.{stage} is empty; name at least one loss.")
    if len(set(names)) < len(names):
        raise UserError(
            f"{_OWNER}: loss_sets.{stage}={list(names)} names a loss twice, which counts once; "
            "to weigh it more set its loss_weight in model.head.losses."
        )
