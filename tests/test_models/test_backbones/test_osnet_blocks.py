import pytest
import torch
import torch.nn.functional as F

from mmreid_ext.models.backbones.osnet_blocks import OSBlock

BN = dict(type="BN")


def test_osnet_block_sums_four_streams_through_one_gate():
    torch.manual_seed(0)
    block = OSBlock(64, 64, BN).eval()
    x = torch.randn(2, 64, 5, 3)
    reduced = block.conv1(x)
    total = 0
    for stream in ([block.conv2a], block.conv2b, block.conv2c, block.conv2d):
        y = reduced
        for layer in stream:
            y = F.conv2d(F.conv2d(y, layer.conv1.weight), layer.conv2.weight, padding=1, groups=16)
            y = F.relu(layer.bn(y))
        gate = F.relu(block.gate.fc1(y.mean((2, 3), keepdim=True)))
        total = total + y * torch.sigmoid(block.gate.fc2(gate))
    expected = F.relu(block.conv3.bn(block.conv3.conv(total)) + x)
    torch.testing.assert_close(block(x), expected)
    assert [len(block.conv2b), len(block.conv2c), len(block.conv2d)] == [2, 3, 4]


@pytest.mark.parametrize("place", ["inside", "outside"])
def test_an_instance_norm_before_or_behind_the_sum(place):
    torch.manual_seed(0)
    block = OSBlock(64, 64, BN, place).eval()
    torch.nn.init.uniform_(block.IN.weight)
    x, sums = torch.randn(2, 64, 5, 3), []
    block.gate.register_forward_hook(lambda _, inputs, output: sums.append(output))
    found = block(x)
    projected = block.conv3.conv(sum(sums))
    if place == "inside":
        assert isinstance(block.conv3.bn, torch.nn.Identity)
        expected = block.IN(projected) + x
    else:
        expected = block.IN(block.conv3.bn(projected) + x)
    torch.testing.assert_close(found, expected.relu())
