import pytest
import torch

from mmreid_ext.models.necks import GlobalMaxPooling


def test_largest_value_of_each_channel():
    maps = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(0)).requires_grad_()
    pooled = GlobalMaxPooling()(maps)
    assert pooled.tolist() == [[channel.max().item() for channel in image] for image in maps]
    (grad,) = torch.autograd.grad(pooled.sum(), maps)
    assert torch.equal(grad.bool(), maps == pooled[:, :, None, None])
    assert grad.sum() == 2 * 3


def test_stages_stay_apart():
    maps = (torch.ones(2, 3, 4, 4), torch.ones(2, 5, 2, 2))
    assert [tuple(x.shape) for x in GlobalMaxPooling()(maps)] == [(2, 3), (2, 5)]


def test_vectors_are_refused():
    with pytest.raises(ValueError, match=r"\(2, 3\), but must be maps \(N, C, H, W\).*neck=None"):
        GlobalMaxPooling()(torch.ones(2, 3))
