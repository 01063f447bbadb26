import pytest
import torch

from mmreid_ext.models.losses import pairwise


def test_squared_distances_match_loop(generator):
    x = torch.randn(5, 4, dtype=torch.float64, generator=generator)
    y = torch.randn(3, 4, dtype=torch.float64, generator=generator)
    expected = torch.stack([torch.stack([((a - b) ** 2).sum() for b in y]) for a in x])
    torch.testing.assert_close(pairwise.squared_distances(x, y), expected)


def test_squared_distances_are_never_negative(generator):
    x = torch.randn(1, 64, generator=generator).expand(50, 64) * (1 + 1e-7)
    assert (pairwise.squared_distances(x, x) >= 0).all()


def test_unit_rows(generator):
    x = torch.randn(4, 3, dtype=torch.float64, generator=generator)
    x[2] = 0
    x.requires_grad_()
    unit = pairwise.unit_rows(x)
    assert unit.norm(dim=1).tolist() == pytest.approx([1, 1, 0, 1])
    assert torch.autograd.grad(unit.sum(), x)[0].isfinite().all()
    rows = x.detach()[[0, 1, 3]].requires_grad_()
    assert torch.autograd.gradcheck(pairwise.unit_rows, rows)
    assert torch.autograd.gradgradcheck(pairwise.unit_rows, rows)


def test_row_norms_have_zero_derivatives_at_zero():
    x = torch.zeros(2, 3, dtype=torch.float64, requires_grad=True)
    norms = pairwise.row_norms(x)
    (first,) = torch.autograd.grad(norms.sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x)
    assert (norms == 0).all()
    assert (first == 0).all()
    assert (second == 0).all()


def test_hardest_pairs_prefer_any_member_of_the_mask():
    """Even a distance of 0 (the farthest positive of a lone anchor) beats what lies outside."""
    x = torch.tensor([[0.0], [1.0], [5.0]])
    own = torch.eye(3, dtype=torch.bool)
    farthest, nearest = pairwise.hardest_pairs(x, x, own, ~own)
    assert farthest.tolist() == [0, 1, 2]
    assert nearest.tolist() == [1, 0, 1]


def test_masked_logsumexp_of_an_empty_row_has_no_gradient():
    values = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    mask = torch.tensor([[True, False, True], [False, False, False]])
    result = pairwise.masked_logsumexp(values, mask)
    expected = (values[0, 0].exp() + values[0, 2].exp()).log()
    torch.testing.assert_close(result[0], expected)
    softplus = pairwise.log1p_exp(result)
    assert softplus[1] == 0
    softplus.sum().backward()
    assert (values.grad[1] == 0).all()
    assert values.grad[0, 1] == 0


def test_masked_log_mean_exp_keeps_double_precision():
    values = torch.zeros(1, 3, dtype=torch.float64)
    mask = torch.ones(1, 3, dtype=torch.bool)
    assert abs(pairwise.masked_log_mean_exp(values, mask).item()) < 1e-15


def test_mean_where_of_nothing_is_zero():
    values = torch.tensor([1.0, 2.0], requires_grad=True)
    mean = pairwise.mean_where(values, torch.tensor([False, False]))
    mean.backward()
    assert mean == 0
    assert (values.grad == 0).all()


def test_pair_masks():
    positive, negative = pairwise.pair_masks(torch.tensor([7, 2, 7]))
    assert positive.tolist() == [[False, False, True], [False, False, False], [True, False, False]]
    assert negative.tolist() == [[False, True, False], [True, False, True], [False, True, False]]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_two_of_the_lowest_numbers_can_be_added(dtype):
    lowest = torch.tensor(pairwise.lowest(dtype), dtype=dtype)
    assert (lowest + lowest).isfinite()
    assert torch.stack([lowest, lowest * 0 - 1e4]).softmax(0).tolist() == [0, 1]
