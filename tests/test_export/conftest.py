"""A tiny checkpoint for all tests of this room."""

from types import SimpleNamespace

import pytest
import torch
from helpers.small_checkpoint import write_small_checkpoint

from mmreid_ext.apis.embedder import build_embedder
from mmreid_ext.export.sample_images import embeddings_of, sample_images


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """``file`` of a checkpoint, its ``embedder``, ten loaded ``inputs`` and their embeddings."""
    folder = tmp_path_factory.mktemp("small")
    threshold = dict(fpr=0.01, similarity=0.5, tpr=0.9, negatives=1000, dataset="tiny")
    file = write_small_checkpoint(folder, thresholds=[threshold])
    embedder = build_embedder(None, file, torch.device("cpu"))
    inputs = sample_images(embedder, None, 10)
    expected = embeddings_of(embedder, inputs)
    return SimpleNamespace(
        folder=folder, file=file, embedder=embedder, inputs=inputs, expected=expected
    )
