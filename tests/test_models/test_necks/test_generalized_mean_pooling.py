import mmpretrain.models.necks as host
import pytest
import torch

from mmreid_ext.models.necks import GeneralizedMeanPooling


@pytest.mark.parametrize("options", [{}, dict(p=1.5), dict(clamp=False, p=2.0)])
def test_equals_mmpretrains_pooling(options):
    torch.manual_seed(0)
    maps = torch.rand(2, 5, 6, 3, dtype=torch.float64)
    ours, theirs = GeneralizedMeanPooling(**options), host.GeneralizedMeanPooling(**options)
    ours.load_state_dict(theirs.state_dict())
    torch.testing.assert_close(ours(maps), theirs(maps))
    torch.testing.assert_close(ours((maps, maps[:1])), theirs((maps, maps[:1])))


def test_gradients():
    maps = torch.rand(2, 3, 4, 3, dtype=torch.float64, requires_grad=True)
    pooling = GeneralizedMeanPooling().double()
    assert torch.autograd.gradcheck(pooling, (maps,))


def test_vectors_are_refused():
    with pytest.raises(ValueError, match="neck=None"):
        GeneralizedMeanPooling()(torch.rand(2, 3))
