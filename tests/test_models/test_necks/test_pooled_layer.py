import torch

from mmreid_ext.models.necks import PooledLayer


def test_it_pools_reduces_normalises_and_rectifies():
    torch.manual_seed(0)
    neck = PooledLayer(6, 4, dict(type="BN1d")).eval()
    x = torch.randn(3, 6, 5, 2)
    linear, norm = neck.fc[0], neck.fc[1]
    pooled = torch.stack([m.reshape(6, -1).sum(1) / 10 for m in x])
    expected = norm(pooled @ linear.weight.T + linear.bias).clamp(min=0)
    torch.testing.assert_close(neck((x,))[-1], expected)
    assert list(neck.state_dict())[0] == "fc.0.weight"
