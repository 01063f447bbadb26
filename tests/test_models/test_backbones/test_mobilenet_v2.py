import pytest
import torch
from mmpretrain.models import MobileNetV2 as HostMobileNetV2

from mmreid_ext.models.backbones import MobileNetV2


def size_of_the_last_map(model):
    model.eval()  # MMPretrain's returns None
    with torch.no_grad():
        return tuple(model(torch.zeros(1, 3, 64, 32))[-1].shape[2:])


@pytest.mark.parametrize(("last_stride", "size"), [(1, (4, 2)), (2, (2, 1))])
def test_size_of_the_last_map(last_stride, size):
    assert size_of_the_last_map(MobileNetV2(last_stride, widen_factor=0.25)) == size


def test_only_the_last_stride_differs_from_mmpretrains():
    ours, host = MobileNetV2(1, widen_factor=0.25), HostMobileNetV2(widen_factor=0.25)
    host.load_state_dict(ours.state_dict())
    strides = [
        [m.stride[0] for m in model.modules() if isinstance(m, torch.nn.Conv2d)]
        for model in (ours, host)
    ]
    different = [i for i, (a, b) in enumerate(zip(*strides, strict=True)) if a != b]
    assert different == [max(i for i, stride in enumerate(strides[1]) if stride == 2)]
    # MMPretrain's own class keeps its settings.
    assert size_of_the_last_map(host) == (2, 1)


def test_other_strides_are_refused():
    with pytest.raises(ValueError, match="last_stride=3 must be 1 or 2"):
        MobileNetV2(3)
