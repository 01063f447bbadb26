import pytest
import torch
from helpers.bin_layers import make_layer
from helpers.tiny_reid import tiny_model
from torch import nn

from mmreid_ext.models.norms import BatchInstanceNorm2d
from mmreid_ext.models.norms.folding import fold_for_inference
from mmreid_ext.registry import MODELS


def images(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(3, 3, 32, 16, generator=generator, dtype=torch.float64)


def trained(norm, gate=1.0):
    torch.manual_seed(0)
    model = MODELS.build(tiny_model(norm)).double()
    for module in model.modules():
        if getattr(module, "running_var", None) is not None:
            for value in (module.weight, module.bias, module.running_mean):
                nn.init.normal_(value)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
        if isinstance(module, BatchInstanceNorm2d):
            nn.init.constant_(module.gate, gate)
    return model.eval()


@pytest.mark.parametrize("norm", ["mmreid_ext.BIN", "mmreid_ext.SyncBN", "BN"])
def test_outputs_are_equal_and_norms_are_gone(norm):
    model = trained(norm)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    folded, count = fold_for_inference(model, images())
    convolutions = sum(isinstance(m, nn.Conv2d) for m in model.modules())
    assert count == convolutions > 8
    left = [m for m in folded.backbone.modules() if hasattr(m, "running_mean")]
    assert left == []
    torch.testing.assert_close(folded(images(1)), model(images(1)))
    torch.testing.assert_close(model.state_dict(), before, rtol=0, atol=0)


def test_norms_that_depend_on_the_image_stay():
    model = trained("mmreid_ext.BIN", gate=0.5)
    name, layer = list(model.bin_layers().items())[3]
    nn.init.ones_(layer.gate)
    folded, count = fold_for_inference(model, images())
    assert count == 1
    assert name not in folded.bin_layers()
    assert len(folded.bin_layers()) == len(model.bin_layers()) - 1
    torch.testing.assert_close(folded(images(1)), model(images(1)))


class Shared(nn.Module):
    """A convolution whose output something else needs too, and one that is used twice."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.relu = nn.Conv2d(3, 3, 1), make_layer(3), nn.ReLU()
        self.twice, self.other = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)
        nn.init.ones_(self.norm.gate)
        nn.init.normal_(self.other.running_mean)

    def forward(self, x):
        y = self.conv(x)
        z = self.norm(y) + self.relu(y)
        return self.other(self.twice(self.twice(z)))


def test_convolutions_with_other_readers_are_left_alone():
    model = Shared().double().eval()
    folded, count = fold_for_inference(model, images())
    assert count == 0
    torch.testing.assert_close(folded(images(1)), model(images(1)))


class Hidden(nn.Module):
    """The same without a module that reads: hooks can't see it."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)
        nn.init.normal_(self.norm.running_mean)

    def forward(self, x):
        y = self.conv(x)
        return self.norm(y) + 2 * y


def test_other_readers_that_are_no_modules_are_noticed():
    with pytest.raises(ValueError, match="more than the norm after it"):
        fold_for_inference(Hidden().double().eval(), images())


def test_training_mode_is_refused():
    with pytest.raises(ValueError, match="model.eval"):
        fold_for_inference(trained("BN").train(), images())
