"""Grids of tokens, and networks without a place to look at."""

import pytest
import torch
from helpers.small_vit import vit
from torch import nn

from mmreid_ext.errors import UserError
from mmreid_ext.visualization.similarity_maps.captured import as_grid, captured_map


def test_tokens_fill_the_grid_row_by_row():
    tokens = torch.arange(9.0)[None, :, None].expand(1, 9, 2)  # a class token and 4 x 2 patches
    assert as_grid(tokens, (64, 32), 1).tolist() == [[2, 4], [6, 8], [10, 12], [14, 16]]
    assert as_grid(torch.ones(1, 3, 2, 5), (9, 9), 1).tolist() == [[3.0] * 5] * 2
    with pytest.raises(UserError, match=r"\(1, 8, 2\), must be a map"):
        as_grid(tokens[:, :8], (64, 32), 1)  # seven patches are no grid of two columns


def test_a_network_without_pooling_or_attention_asks_for_a_layer():
    model = vit()
    model.backbone.layers = nn.Sequential(nn.Identity())
    with (
        pytest.raises(UserError, match="has neither a pooling neck nor a last attention"),
        captured_map(model, None),
    ):
        pass
