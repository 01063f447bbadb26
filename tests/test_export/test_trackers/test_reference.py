"""PyTorch on given pixels is what the inferencer computes of pictures of that size."""

import numpy as np
import pytest

from mmreid_ext.apis import ReIDInferencer
from mmreid_ext.export.trackers.reference import embed_pixels


@pytest.mark.parametrize("name", ["imagenet", "other"])
def test_pixels_of_the_right_size_are_embedded_as_pictures_are(name, models):
    pictures = np.random.default_rng(0).integers(0, 256, (2, 256, 128, 3), dtype=np.uint8)
    wanted = ReIDInferencer(None, models[name].file, device="cpu")(list(pictures)).numpy()
    found = embed_pixels(models[name].embedder, pictures[..., ::-1].astype(np.float32))
    np.testing.assert_allclose(found, wanted, atol=1e-6)
