"""Flat index samplers whose consecutive ``batch_size`` indices are P identities x K images."""

from .domain_pk_sampler import DomainPKSampler
from .draw import Draw, draw_seeds
from .group_sampler import GroupSampler
from .identity_groups import GroupPool, IdentityGroups
from .pk_sampler import PKSampler

__all__ = [
    "DomainPKSampler",
    "Draw",
    "GroupPool",
    "GroupSampler",
    "IdentityGroups",
    "PKSampler",
    "draw_seeds",
]
