import cv2
import numpy as np
import pytest
import torch

from mmreid_ext.errors import MissingFileError
from mmreid_ext.export.sample_images import drawn_people, network_input, sample_images


def test_drawn_people_are_always_the_same_and_never_alike():
    first, again = list(drawn_people(6)), list(drawn_people(6))
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert first[0].shape == (128, 64, 3)
    assert len({picture.tobytes() for picture in first}) == 6


def test_pictures_of_a_folder_are_taken_evenly(small, tmp_path):
    for number in range(6):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((16, 8, 3), 10 * number, np.uint8))
    found = sample_images(small.embedder, tmp_path, 3)
    assert found.shape == (3, 3, 16, 8) and found.dtype == torch.uint8
    assert found[:, 0, 0, 0].tolist() == [0, 20, 40]
    again = sample_images(small.embedder, tmp_path, 9)
    assert sorted(set(again[:, 0, 0, 0].tolist())) == [0, 10, 20, 30, 40, 50] and len(again) == 9


def test_a_picture_of_one_row(small, tmp_path):
    cv2.imwrite(str(tmp_path / "thin.png"), np.full((1, 40, 3), 7, np.uint8))
    assert sample_images(small.embedder, tmp_path, 1).unique().tolist() == [7]


def test_a_missing_folder(small):
    with pytest.raises(MissingFileError, match="none_such"):
        sample_images(small.embedder, "none_such", 3)


def test_the_inputs_of_every_kind(small):
    model, use = small.embedder.model, small.embedder.use["input"]
    bgr = torch.tensor([3, 2, 1], dtype=torch.uint8).view(1, 3, 1, 1)
    assert network_input(bgr, "uint8", model, use).flatten().tolist() == [1, 2, 3]
    assert network_input(bgr, "uint8", model, use).shape == (1, 1, 1, 3)
    scaled = network_input(bgr, "rgb01", model, use)
    torch.testing.assert_close(scaled.flatten(), torch.tensor([1.0, 2.0, 3.0]) / 255)
    plain = network_input(bgr, "normalized", model, use).flatten()
    mean, std = torch.tensor(use["mean"]), torch.tensor(use["std"])
    torch.testing.assert_close(plain, (torch.tensor([1.0, 2.0, 3.0]) - mean) / std)
