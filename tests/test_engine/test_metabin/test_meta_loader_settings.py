"""What MetaBIN needs of its meta batches."""

from types import SimpleNamespace

import pytest
from torch.utils.data import DataLoader, SequentialSampler

from mmreid_ext.datasets.samplers import DomainPKSampler, PKSampler
from mmreid_ext.engine.metabin.meta_loader_settings import count_domains, require_meta_dataloader
from mmreid_ext.errors import UserError, UserTypeError


def settings(sampler):
    return dict(batch_size=8, sampler=sampler)


@pytest.mark.parametrize(
    "sampler",
    [
        dict(type="mmreid_ext.DomainPKSampler"),
        dict(type=DomainPKSampler),
        SequentialSampler([1]),  # one of the user's: it may do what is needed
    ],
)
def test_samplers_that_may_balance_domains(sampler):
    given = settings(sampler)
    assert require_meta_dataloader(given) is given


def test_a_loader_that_is_built_already():
    given = DataLoader([1], sampler=SequentialSampler([1]))
    assert require_meta_dataloader(given) is given
    with pytest.raises(UserError, match="sampler=PKSampler does not put every domain"):
        require_meta_dataloader(settings(object.__new__(PKSampler)))


@pytest.mark.parametrize(
    ("given", "kind", "message"),
    [
        (None, UserTypeError, "meta_dataloader=None, .*DomainPKSampler"),
        ({}, UserError, "has no batch_size and no sampler"),
        (dict(batch_size=8), UserError, "has no sampler; write"),
        (settings(dict(type="mmreid_ext.DomainPK")), UserError, "is no .*DomainPKSampler"),
        (settings(dict(type=PKSampler)), UserError, "sampler=PKSampler does not put every domain"),
        (settings(dict(type="InfiniteSampler")), UserError, "sampler=InfiniteSampler does not"),
    ],
)
def test_settings_that_do_not_do(given, kind, message):
    with pytest.raises(kind, match=message):
        require_meta_dataloader(given)


def test_domains_are_counted():
    assert count_domains(SimpleNamespace(num_domains=2)) == 2
    with pytest.raises(UserError, match="num_domains=1, MetaBIN needs at least 2"):
        count_domains(SimpleNamespace(num_domains=1))
    with pytest.raises(UserError, match="list has no num_domains; use a re-ID data set"):
        count_domains([])
