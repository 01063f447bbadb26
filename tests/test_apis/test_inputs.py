"""Images and embeddings are told apart, whatever they come in."""

import numpy as np
import pytest
import torch
from helpers.fake_images import write_image

from mmreid_ext.apis.inputs import (
    as_embeddings,
    collate,
    single_pictures,
    stored_images,
    with_paths,
)
from mmreid_ext.errors import UserError, UserTypeError
from mmreid_ext.evaluation.embedding_set import EmbeddingSet
from mmreid_ext.evaluation.results.features_file import save_features

PICTURE = np.zeros((6, 4, 3), np.uint8)


def test_floating_matrices_are_embeddings_and_nothing_else_is():
    feats = np.arange(6.0).reshape(2, 3)
    feats.setflags(write=False)
    assert torch.equal(as_embeddings(feats), torch.arange(6.0).double().view(2, 3))
    grad = torch.ones(2, 3, requires_grad=True)
    assert not as_embeddings(grad).requires_grad
    whole = torch.ones(2, 3).int()
    for other in (PICTURE, PICTURE[..., 0], feats[0], "a.jpg", [feats], whole, None):
        assert as_embeddings(other) is None


def test_paths_are_noted_beside_the_images(tmp_path):
    for name in ("b.png", "a.png"):
        write_image(tmp_path / name)
    paths = []
    found = list(with_paths([PICTURE, tmp_path, str(tmp_path / "b.png")], paths))
    assert found[0] is PICTURE and len(found) == 4
    assert paths == [None, *(str(tmp_path / name) for name in ("a.png", "b.png", "b.png"))]


def test_what_holds_no_images_is_refused(tmp_path):
    with pytest.raises(UserTypeError, match="images is of type dict"):
        list(single_pictures({"a.jpg": 1}))
    with pytest.raises(UserError, match="has no image"):
        list(single_pictures(tmp_path))


def test_a_batch_has_one_size():
    items = [(i, {"inputs": torch.full((3, 4, width), i)}) for i, width in enumerate((2, 2, 5))]
    assert collate(items[:2])["inputs"].shape == (2, 3, 4, 2)
    with pytest.raises(UserError, match="Image 2 is 4 x 5 .* image 0 is 4 x 2"):
        collate(items)


def test_an_image_of_several_test_sets_is_stored_once(tmp_path):
    feats = np.array([[1, 0], [0, 1], [1, 0], [1, 1], [1, 0], [1, 0]], np.float32)
    names = ["a.jpg", "b.jpg", "a.jpg", "a.jpg", "", ""]  # row 3: another picture of that name
    store = EmbeddingSet(feats, [0] * 6, [0] * 6, ["gallery"] * 6, ["x"] * 2 + ["y"] * 4, names)
    found = stored_images(save_features(tmp_path / "f.npz", store))
    assert found.rows.tolist() == [0, 1, 3, 4, 5]
    assert found.paths == ["a.jpg", "b.jpg", "a.jpg", None, None]
    assert type(found.paths[0]) is str
    assert np.array_equal(found.embeddings.numpy(), feats[found.rows])
