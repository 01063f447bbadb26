from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.fake_images import write_image
from helpers.paths import CONFIGS
from mmengine.config import Config

from mmreid_ext.datasets import CSVDataset
from mmreid_ext.datasets.own_images.listing import OwnImage
from mmreid_ext.datasets.own_images.plan import Plan
from mmreid_ext.datasets.own_images.written_files import (
    config_text,
    is_writable_path,
    path_in_list,
    write_annotations,
    write_crops,
)
from mmreid_ext.errors import UserError

PLAN = Plan("r18", 8, 40, 8, 4, 300, from_scratch=False)
BASE = CONFIGS / "own_images_r18.py"


def test_paths_are_relative_where_folders_are_near(tmp_path):
    assert path_in_list(tmp_path / "photos" / "a.jpg", tmp_path / "out") == "../photos/a.jpg"
    assert path_in_list(Path("/elsewhere/a.jpg"), tmp_path) == "/elsewhere/a.jpg"


def test_a_link_to_the_folder_does_not_mislead(tmp_path):
    (tmp_path / "deep" / "real").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "deep" / "real")
    assert path_in_list(tmp_path / "a.jpg", tmp_path / "link") == "../../a.jpg"


@pytest.mark.parametrize("name", ["a.jpg ", " a.jpg", "a\n.jpg", "a\\b.jpg"])
def test_names_that_a_list_would_change(name):
    assert not is_writable_path(name) and is_writable_path("a b, \u00e9.jpg")


def test_the_list_is_read_as_it_was_meant(tmp_path):
    write_image(tmp_path / "photos" / "a, b.png", 0, (40, 30))
    path = tmp_path / "photos" / "a, b.png"
    images = [
        OwnImage(path, "Zoë", "door", "train"),
        OwnImage(path, "tom", "", "train", box=(1, 2, 10, 20)),
    ]
    (tmp_path / "out").mkdir()
    write_annotations(images, tmp_path / "out")
    dataset = CSVDataset("annotations.csv", tmp_path / "out", check=False)
    records = [dataset.get_data_info(i) for i in range(2)]
    assert [r["pid_name"] for r in records] == ["Zoë", "tom"]
    assert [r["camid"] for r in records] == [0, -1]
    assert records[1]["box"] == (1, 2, 10, 20) and "box" not in records[0]


def test_columns_that_nobody_needs_are_left_out(tmp_path):
    write_annotations([OwnImage(tmp_path / "a.jpg", "lea", split="train")], tmp_path)
    assert (tmp_path / "annotations.csv").read_text() == "path,pid,split\na.jpg,lea,train\n"


def test_crops_hold_the_pixels_of_their_boxes(tmp_path):
    path = write_image(tmp_path / "f.png", 0, (40, 30))
    images = [OwnImage(path, "a/b", box=(1, 2, 10, 20)), OwnImage(path, "tom", split="query")]
    crops = write_crops(images, tmp_path / "out")
    assert crops[0].box is None and crops[1] == images[1]
    expected = cv2.imread(str(path))[2:22, 1:11]
    assert np.array_equal(cv2.imread(str(crops[0].path)), expected)
    assert crops[0].path.parent == tmp_path / "out" / "crops" / "a_b"


def written(tmp_path, plan=PLAN, **options):
    options = dict(protocol=None, is_tested=True, store=False) | options
    path = tmp_path / "config.py"
    path.write_text(config_text(plan, BASE, "my\nphotos", **options))
    return Config.fromfile(path)


def test_the_configuration_inherits_and_changes_what_depends_on_the_pictures(tmp_path):
    cfg, base = written(tmp_path), Config.fromfile(BASE)
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        (dataset,) = loader.dataset.get("sources") or [loader.dataset]
        assert dataset.csv_file == str(tmp_path / "annotations.csv")
        assert "protocol" not in dataset
    assert cfg.work_dir == str(tmp_path / "run")
    assert (cfg.model.head.num_classes, cfg.train_dataloader.batch_size) == (8, 32)
    assert cfg.train_cfg.max_iters == cfg.train_cfg.val_interval == 300
    assert cfg.model.backbone == base.model.backbone
    assert cfg.optim_wrapper == base.optim_wrapper
    assert "store" not in cfg.train_dataloader.dataset.loader


def test_the_schedule_has_the_form_of_the_base(tmp_path):
    plan = Plan("r18", 8, 40, 8, 4, Config.fromfile(BASE).train_cfg.max_iters, False)
    assert written(tmp_path, plan).param_scheduler == Config.fromfile(BASE).param_scheduler


def test_what_else_it_may_say(tmp_path):
    cfg = written(tmp_path, Plan("r18", 8, 40, 8, 4, 300, True), protocol="no_camera", store=True)
    assert cfg.model.backbone.init_cfg is None and cfg.optim_wrapper.optimizer.lr == 1e-3
    assert cfg.test_dataloader.dataset.sources[0].protocol == "no_camera"
    assert cfg.train_dataloader.dataset.loader.store == str(tmp_path / "decoded")
    assert "store" not in cfg.test_dataloader.dataset.loader
    assert written(tmp_path, is_tested=False).val_cfg is None


def test_a_missing_base_is_named(tmp_path):
    with pytest.raises(UserError, match="no.py that is to be inherited is not there"):
        config_text(PLAN, tmp_path / "no.py", "", protocol=None, is_tested=True, store=False)


@pytest.mark.parametrize("model", ["r18", "r50"])
def test_an_interrupted_run_has_a_checkpoint_long_before_its_end(model):
    cfg = Config.fromfile(CONFIGS / f"own_images_{model}.py")
    assert cfg.default_hooks.checkpoint.interval * 3 <= cfg.max_iters
