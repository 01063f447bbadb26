"""The network is found with and without its distributed wrapper."""

from torch import nn

from mmreid_ext.engine.network import network_of, reid_network_of


class Wrapper(nn.Module):
    def __init__(self, module):
        super().__init__()
        self.module = module


def test_wrapped_or_not():
    model = nn.Linear(1, 1)
    for find in (network_of, reid_network_of):
        assert find(model) is model
        assert find(Wrapper(model)) is model
