import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mmreid_ext.apis import ReIDInferencer
from mmreid_ext.apis.inferencer import find_config
from mmreid_ext.registry import DATASETS, MODELS


@pytest.fixture(scope="module")
def setting(tmp_path_factory):
    """A configuration, an untrained checkpoint of it, and image files."""
    folder = tmp_path_factory.mktemp("inferencer")
    cfg = Config.fromfile(find_config("metabin_r18_synthetic"))
    cfg.model.backbone.update(base_channels=8, stem_channels=8)
    cfg.model.head.in_channels = 64
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope("mmpretrain"):
        model = MODELS.build(cfg.model)
    model.eval()
    torch.save({"state_dict": model.state_dict()}, folder / "model.pth")
    generator = np.random.default_rng(0)
    paths = [folder / f"{i}.png" for i in range(5)]
    for path in paths:
        cv2.imwrite(str(path), generator.integers(0, 255, (96, 40, 3), np.uint8))
    return cfg, model, folder / "model.pth", paths


def test_embeddings_are_those_of_testing(setting, tmp_path):
    cfg, model, checkpoint, paths = setting
    listing = tmp_path / "list.csv"
    roles = ["query", "query", "gallery", "gallery", "gallery"]
    rows = [f"{p},{i % 2},{i % 3},{roles[i]}" for i, p in enumerate(paths)]
    listing.write_text("\n".join(["path,pid,camid,split", *rows]))
    with DefaultScope.overwrite_default_scope("mmpretrain"):
        dataset = DATASETS.build(
            dict(
                type="mmreid_ext.CSVDataset",
                csv_file=str(listing),
                mode="test",
                pipeline=cfg.test_dataloader.dataset.pipeline,
            )
        )
    inputs = torch.stack([dataset[i]["inputs"] for i in range(len(dataset))])
    data = model.data_preprocessor({"inputs": inputs}, training=False)
    with torch.no_grad():
        expected = model(data["inputs"], mode="tensor")
    found = ReIDInferencer(cfg, checkpoint, device="cpu", batch_size=2)(paths)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)  # batches round differently
    torch.testing.assert_close(found.norm(dim=1), torch.ones(5))


def test_files_and_arrays_agree_and_one_image_is_a_batch_of_one(setting):
    cfg, _, checkpoint, paths = setting
    inferencer = ReIDInferencer(cfg, checkpoint, device="cpu")
    arrays = [cv2.imread(str(path)) for path in paths]
    assert torch.equal(inferencer(paths), inferencer(arrays))
    assert inferencer(paths[0]).shape == inferencer(arrays[0]).shape == (1, 64)
    assert inferencer([]).shape == (0, 64)


def test_an_embedding_is_shorter_than_the_feature_it_is_made_of(setting, tmp_path):
    cfg = Config.fromfile(find_config("arcmargin_r18_market150_eml"))
    cfg.model.backbone.update(base_channels=8, stem_channels=8)
    cfg.model.head.update(in_channels=64, embedding_dim=12)
    with DefaultScope.overwrite_default_scope("mmpretrain"):
        torch.save(MODELS.build(cfg.model).state_dict(), tmp_path / "model.pth")
    inferencer = ReIDInferencer(cfg, tmp_path / "model.pth", device="cpu")
    assert inferencer(setting[3][:2]).shape == (2, 12)
    assert inferencer([]).shape == (0, 12)


def test_bad_input_is_named(setting):
    cfg, _, checkpoint, paths = setting
    inferencer = ReIDInferencer(cfg, checkpoint, device="cpu")
    with pytest.raises(ValueError, match=r"Image 1 has shape \(4, 4\)"):
        inferencer([cv2.imread(str(paths[0])), np.zeros((4, 4), np.uint8)])
    with pytest.raises(FileNotFoundError, match="missing.jpg"):
        inferencer("missing.jpg")
    with pytest.raises(FileNotFoundError, match="metabin_r50"):
        find_config("metabin_r5000")
    with pytest.raises(ValueError, match="batch_size"):
        ReIDInferencer(cfg, checkpoint, batch_size=0)
