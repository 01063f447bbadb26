"""Types in a configuration: a name, or in pure-Python configurations the class itself."""

from __future__ import annotations

from typing import Any


def type_name(kind: Any) -> str:
    """Return the bare name of a type: ``'ReIDMetric'`` for ``'mmreid_ext.ReIDMetric'``.

    Args:
        kind: A registered name with or without its scope, a class, or MMEngine's stand-in for one
            that isn't imported yet.
    """
    name = getattr(kind, "__name__", None) or str(kind)
    return name.rpartition(".")[2]
