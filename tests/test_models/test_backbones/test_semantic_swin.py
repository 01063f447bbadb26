import pytest
import torch
import torch.nn.functional as F
from mmpretrain.models import SwinTransformer

from mmreid_ext.errors import UserError
from mmreid_ext.models.backbones import SemanticSwin

SMALL = dict(
    arch=dict(embed_dims=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 1, 1]),
    img_size=(64, 32),
    window_size=4,
    pad_small_map=True,
)


def image():
    return torch.randn(2, 3, 64, 32, generator=torch.Generator().manual_seed(0))


def pair(weight):
    torch.manual_seed(0)
    ours, host = SemanticSwin(semantic_weight=weight, **SMALL), SwinTransformer(**SMALL)
    host.load_state_dict(ours.state_dict(), strict=False)
    ours.eval(), host.eval()
    return ours, host


def test_without_a_weight_it_is_mmpretrains():
    ours, host = pair(None)
    assert set(ours.state_dict()) == set(host.state_dict())
    assert ours(image())[0].equal(host(image())[0])


def test_the_weight_scales_and_shifts_after_each_stage_but_the_last():
    ours, host = pair(0.2)
    assert len(ours.semantic_embed_w) == 3
    x, shape = host.patch_embed(image())
    for place, stage in enumerate(host.stages):
        x, shape = stage(x, shape)
        if place < 3:
            w, b = ours.semantic_embed_w[place], ours.semantic_embed_b[place]
            scale = F.softplus(w.weight[:, 0] * 0.2 + w.weight[:, 1] * 0.8 + w.bias)
            x = x * scale + b.weight[:, 0] * 0.2 + b.weight[:, 1] * 0.8 + b.bias
    expected = host.norm3(x).view(2, *shape, 64).permute(0, 3, 1, 2)
    torch.testing.assert_close(ours(image())[0], expected)
    assert not ours.semantic_embed_w[0].weight.requires_grad
    other = SemanticSwin(semantic_weight=0.9, **SMALL)
    other.load_state_dict(ours.state_dict())
    other.eval()
    assert (other(image())[0] - expected).abs().max() > 1e-3


@pytest.mark.parametrize("settings", [dict(semantic_weight=1.5), dict(out_after_downsample=True)])
def test_other_settings_are_refused(settings):
    with pytest.raises(UserError, match="SemanticSwin"):
        SemanticSwin(**SMALL, **settings)
