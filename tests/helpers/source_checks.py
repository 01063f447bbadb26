"""What the tests of all sources ask."""

import torch

from mmreid_ext.checkpoint.converting import SOURCES, translate


def renamed(source, *names, **others):
    """Our names of a program's weights, by theirs; ``others`` decide what network it is."""
    state = {name: torch.zeros(2, 3) for name in (*names, *others.pop("beside", ()))}
    found = translate(SOURCES[source], state)
    return {origin: ours for ours, origin in found.origin.items() if origin in names}


def refused(source, *names):
    """What names of a program belong to that this package lacks."""
    return translate(SOURCES[source], {name: torch.zeros(1) for name in names}).refused


def choice(source, state):
    return SOURCES[source].choose(state)
