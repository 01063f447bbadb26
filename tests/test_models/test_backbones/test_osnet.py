"""OSNet: published sizes, its parts by slow and obvious means, batch-instance norms."""

import pytest
import torch

from mmreid_ext.models import BatchInstanceNorm2d
from mmreid_ext.models.backbones import OSNet
from mmreid_ext.models.backbones.osnet_blocks import OSBlock

BN = dict(type="BN")


def count_parameters(module):
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize(("width", "published"), [(1.0, 2_193_616), (0.25, 203_568)])
def test_osnet_sizes_are_the_published_ones(width, published):
    model = OSNet(width, norm_cfg=BN)
    gates = sum(count_parameters(m.gate) for m in model.modules() if isinstance(m, OSBlock))
    # torchreid counts a parameter each time it is used, and a gate serves four streams.
    assert count_parameters(model) + 3 * gates == published


def test_osnet_maps_and_features():
    images = torch.randn(2, 3, 64, 32)
    assert OSNet(0.25, norm_cfg=BN).eval()(images)[0].shape == (2, 512)
    assert OSNet(0.25, feature_dim=0, norm_cfg=BN).eval()(images)[0].shape == (2, 128, 4, 2)
    with pytest.raises(ValueError, match="width=0.1 must be at least 0.25"):
        OSNet(0.1)


def test_osnet_takes_batch_instance_norms():
    model = OSNet(0.25, norm_cfg=dict(type="mmreid_ext.BIN"))
    norms = [m for m in model.modules() if isinstance(m, BatchInstanceNorm2d)]
    # 1 stem + per block 2 pointwise and 10 light convolutions, 3 shortcuts, 2 transitions, 1 last
    assert len(norms) == 1 + 6 * 12 + 3 + 2 + 1


@pytest.mark.parametrize("kind", ["ibn", "ain"])
def test_instance_norms_stand_where_published(kind):
    model = OSNet(0.25, norm_cfg=BN, instance_norms=kind)
    found = [n for n, m in model.named_modules() if isinstance(m, torch.nn.InstanceNorm2d)]
    inside = {
        "ibn": ["conv2.0", "conv2.1"],
        "ain": ["conv2.0", "conv2.1", "conv3.1", "conv4.0"],
    }[kind]
    assert found == ["conv1.bn", *(f"{block}.IN" for block in inside)]
    with pytest.raises(ValueError, match="must be 'ibn' or 'ain'"):
        OSNet(0.25, instance_norms="in")
