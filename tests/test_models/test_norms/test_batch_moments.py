import pytest
import torch
from helpers.bin_layers import make_images
from torch import nn

from mmreid_ext.models.norms import batch_moments
from mmreid_ext.models.norms.batch_moments import (
    BatchStatistics,
    combine_moments,
    update_running_stats,
)


def instance_moments(x):
    var, mean = torch.var_mean(x, dim=(2, 3), correction=0)
    return mean, var


def test_moments_of_the_batch():
    x = make_images(4, 5, 6, 3)
    batch = combine_moments(*instance_moments(x), pixels=18)
    var, mean = torch.var_mean(x, dim=(0, 2, 3), correction=0)
    torch.testing.assert_close((batch.mean, batch.var), (mean, var))
    assert batch.num_values == 4 * 18


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_ranks_of_different_sizes(offset, monkeypatch):
    """Three images of 18 pixels here, two of 6 on another rank; their means differ."""
    here, there = make_images(3, 5, 6, 3, offset=offset), make_images(2, 5, 2, 3, offset=offset + 3)
    other = combine_moments(*instance_moments(there), pixels=6)
    packed = torch.cat([other.mean, other.var, other.num_values[None]])
    monkeypatch.setattr(batch_moments, "gather_with_grad", lambda x: torch.cat([x, packed[None]]))
    batch = combine_moments(*instance_moments(here), pixels=18)
    values = torch.cat([x.transpose(0, 1).flatten(1) for x in (here, there)], dim=1)
    var, mean = torch.var_mean(values, dim=1, correction=0)
    torch.testing.assert_close((batch.mean, batch.var), (mean, var))
    assert batch.num_values == 3 * 18 + 2 * 6


@pytest.mark.parametrize("momentum", [0.1, None])
def test_running_averages_are_pytorchs(momentum):
    ours, torchs = (nn.BatchNorm2d(5, momentum=momentum).double() for _ in range(2))
    for step in range(3):
        x = make_images(2, 5, 2, 2, seed=step)  # 8 values: biased and unbiased variance differ
        torchs(x)
        update_running_stats(ours, combine_moments(*instance_moments(x), pixels=4))
    torch.testing.assert_close(ours.state_dict(), torchs.state_dict())


def test_one_value_has_no_unbiased_variance():
    layer = nn.BatchNorm2d(2)
    one = BatchStatistics(torch.ones(2), torch.zeros(2), torch.tensor(1.0))
    update_running_stats(layer, one)
    assert layer.running_var.isfinite().all()
