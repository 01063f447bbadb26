from __future__ import annotations

import pytest
import torch

# Labels of small batches: identities with unequal counts, single images, one identity, one image.
LABELS = {
    "pk": [0, 0, 1, 1, 2, 2, 3, 3],
    "shuffled": [2, 0, 1, 0, 2, 3, 1, 3],
    "uneven": [0, 0, 0, 1, 2, 2, 2, 2, 7],
    "all_alone": [4, 1, 3, 0, 2],
    "one_identity": [5, 5, 5, 5],
    "one_row": [3],
}


@pytest.fixture(params=list(LABELS.values()), ids=list(LABELS))
def pids(request):
    return torch.tensor(request.param)


@pytest.fixture(params=[0, 1], ids="seed{}".format)
def generator(request):
    return torch.Generator().manual_seed(request.param)


@pytest.fixture
def make_feats(generator):
    """Random float64 features with gradient; a common offset, as pooled ReLU features have."""

    def make(num_rows: int, feat_dim: int = 6, offset: float = 0.5) -> torch.Tensor:
        feats = torch.randn(num_rows, feat_dim, dtype=torch.float64, generator=generator)
        return (feats + offset).requires_grad_()

    return make
