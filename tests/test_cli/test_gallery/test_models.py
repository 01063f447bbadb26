"""The model of a command: an exported file or a checkpoint, and the same embeddings from both."""

import numpy as np
import pytest
from helpers.exported_model import info, write_onnx
from helpers.gallery_pictures import picture, write_picture

from mmreid_ext.cli.gallery.models import CheckpointModel, ExportedModel, open_model
from mmreid_ext.errors import MissingFileError, UserError


def test_an_exported_model(tmp_path):
    pytest.importorskip("onnxruntime"), pytest.importorskip("onnx")
    model = open_model(str(write_onnx(tmp_path)))
    assert isinstance(model, ExportedModel) and model.info == info()
    found = model.embed([model.prepare(picture(1)), model.prepare(picture(2))])
    assert found.shape == (2, 8) and found.dtype == np.float32
    from mmreid_ext.deploy import Embedder

    file = write_picture(tmp_path / "1.png", 1)
    np.testing.assert_allclose(found[:1], Embedder(tmp_path / "model.onnx")(file), atol=1e-6)
    with pytest.raises(UserError, match="--config a.py is for checkpoints"):
        open_model(str(tmp_path / "model.onnx"), config="a.py")


def test_what_isn_t_there(tmp_path):
    for name in ("none.onnx", "none.xml", "none.pth"):
        with pytest.raises(MissingFileError, match=name):
            open_model(str(tmp_path / name))


def test_a_checkpoint(tmp_path):
    from helpers.small_checkpoint import write_small_checkpoint

    from mmreid_ext.apis import ReIDInferencer

    checkpoint = write_small_checkpoint(tmp_path)
    model = open_model(str(checkpoint), device="cpu")
    assert isinstance(model, CheckpointModel) and model.info.file == "model.pth"
    images = [picture(1), picture(2)]
    found = model.embed([model.prepare(image) for image in images])
    expected = ReIDInferencer(checkpoint, device="cpu")(images).numpy()
    assert found.shape == (2, model.info.size)
    np.testing.assert_allclose(found, expected, atol=1e-6)
