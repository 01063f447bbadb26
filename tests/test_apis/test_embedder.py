"""The parts of an embedder, and the early errors of its configuration."""

import cv2
import numpy as np
import pytest
import torch
from helpers.fake_images import write_image
from mmcv.transforms import Compose
from PIL import Image

from mmreid_ext.apis.embedder import build_embedder, prepare, read_frame
from mmreid_ext.datasets.loading import build_loader
from mmreid_ext.errors import MissingFileError, UserError

FRAME = np.random.default_rng(0).integers(0, 256, (6, 4, 3), np.uint8)


def test_a_frame_is_decoded_in_its_own_size(tmp_path):
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), FRAME)
    for frame in (path, str(path), FRAME, Image.open(path)):
        assert np.array_equal(read_frame(frame), FRAME)
    with pytest.raises(MissingFileError, match="crops: there is no file 'none.jpg'"):
        read_frame("none.jpg")
    with pytest.raises(UserError, match="The frame has shape"):
        read_frame(FRAME / 255)


def test_an_image_becomes_the_input_of_the_preprocessor(tmp_path):
    loader = build_loader(dict(type="mmreid_ext.LoadResized", scale=(8, 16)))
    transform = Compose([dict(type="mmreid_ext.PackReIDInputs")])
    write_image(tmp_path / "a.png")
    for image in (FRAME, tmp_path / "a.png"):
        found = prepare(image, 0, loader, transform)
        assert list(found) == ["inputs"] and found["inputs"].shape == (3, 16, 8)
    with pytest.raises(MissingFileError, match="Image 7: there is no file"):
        prepare("none.jpg", 7, loader, transform)


def test_a_misspelt_configuration_is_told_before_the_checkpoint_is_read():
    with pytest.raises(MissingFileError, match="did you mean 'metabin_r50'"):
        build_embedder("metabin_r5o", "none.pth", torch.device("cpu"))
