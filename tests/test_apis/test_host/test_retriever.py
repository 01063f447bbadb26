"""MMPretrain's retrieval inferencer with a trained model of ours."""

import cv2
import numpy as np
import pytest
import torch
from helpers.small_checkpoint import write_small_checkpoint
from mmpretrain import ImageRetrievalInferencer

from mmreid_ext.apis import ReIDInferencer, as_retriever


@pytest.fixture
def photos(tmp_path):
    folder, rng = tmp_path / "photos", np.random.default_rng(0)
    folder.mkdir()
    for name in "abcde":
        size = (int(rng.integers(40, 90)), int(rng.integers(20, 50)), 3)
        cv2.imwrite(str(folder / f"{name}.png"), rng.integers(0, 256, size, np.uint8))
    return folder


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_matches_are_those_of_our_inferencer(tmp_path, photos):
    checkpoint = write_small_checkpoint(tmp_path)
    query = str(photos / "c.png")
    find = ImageRetrievalInferencer(
        as_retriever(checkpoint, device="cpu"), prototype=str(photos), device="cpu"
    )
    (found,) = find(query, topk=3)
    (ours,) = ReIDInferencer(checkpoint, device="cpu").search(query, photos, topk=3)
    assert [match["sample"]["img_path"] for match in found] == [match.path for match in ours]
    theirs = torch.tensor([float(match["match_score"]) for match in found])
    # One product of a row against one of a matrix: rounding of float32.
    torch.testing.assert_close(
        theirs, torch.tensor([m.similarity for m in ours]), atol=1e-6, rtol=0
    )


def test_a_configuration_and_weights_are_taken_like_a_checkpoint_alone(tmp_path):
    checkpoint = write_small_checkpoint(tmp_path)
    (config,) = tmp_path.glob("*.py")
    images = torch.randn(2, 3, 32, 16)
    alone, both = as_retriever(checkpoint), as_retriever(config, checkpoint)
    assert torch.equal(alone(images), both(images))
    assert alone._config.test_dataloader.dataset.pipeline
