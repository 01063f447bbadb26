import copy

import numpy as np
import pytest
import torch
from helpers.distributed import run_distributed

from mmreid_ext.models import MixStyle


def images(count=6):
    torch.manual_seed(1)
    return torch.randn(count, 3, 4, 5, dtype=torch.float64) * torch.rand(count, 3, 1, 1) + 2


def test_against_a_loop_over_images():
    x, layer = images(), MixStyle(prob=1.0, alpha=0.3, seed=5)
    rng = np.random.default_rng((5, 0))
    rng.random()
    partners, shares = rng.permutation(6), rng.beta(0.3, 0.3, 6)
    expected = torch.empty_like(x)
    for i in range(6):
        j, share = partners[i], shares[i]
        for c in range(3):
            own, other = x[i, c], x[j, c]
            std, other_std = ((t.var() + 1e-6).sqrt() for t in (own, other))
            mixed_std = share * std + (1 - share) * other_std
            mixed_mean = share * own.mean() + (1 - share) * other.mean()
            expected[i, c] = (own - own.mean()) / std * mixed_std + mixed_mean
    torch.testing.assert_close(layer(x), expected)
    assert not torch.allclose(expected, x)


def test_gradient_takes_statistics_as_constants():
    x, layer = images().requires_grad_(), MixStyle(prob=1.0)
    layer(x).sum().backward()
    # Constant over every map: the factor mixed_std / std.
    assert torch.equal(x.grad, x.grad[:, :, :1, :1].expand_as(x))
    assert (x.grad > 0).all()


def test_nothing_happens_in_evaluation_or_with_probability_zero():
    x = images()
    assert MixStyle(prob=1.0).eval()(x) is x
    assert MixStyle(prob=0.0)(x) is x
    steps = MixStyle(prob=1.0).eval()
    steps(x)
    assert steps.steps == 0


def test_share_of_mixed_batches_and_resume():
    layer, x = MixStyle(prob=0.5), images()
    mixed = [layer(x) is not x for _ in range(200)]
    assert 80 < sum(mixed) < 120  # 100 +- 7
    restored = MixStyle(prob=0.5)
    restored.load_state_dict(copy.deepcopy(layer.state_dict()))
    for _ in range(5):
        assert torch.equal(layer(x), restored(x))


def mix_share(rank, world_size):
    layer, x = MixStyle(prob=1.0, alpha=0.3), images(8)
    own = slice(rank * 8 // world_size, (rank + 1) * 8 // world_size)
    return [layer(x[own]) for _ in range(2)]


def test_two_ranks_equal_one():
    parts = run_distributed(mix_share, 2)
    for one, *halves in zip(mix_share(0, 1), *parts, strict=True):
        torch.testing.assert_close(torch.cat(halves), one)


def test_half_precision_keeps_its_dtype():
    assert MixStyle(prob=1.0)(images().bfloat16()).dtype == torch.bfloat16


def test_errors():
    with pytest.raises(ValueError, match="MixStyle: prob=.* from 0 to 1"):
        MixStyle(prob=1.5)
    with pytest.raises(ValueError, match="MixStyle: alpha=0 must be above 0"):
        MixStyle(alpha=0)
