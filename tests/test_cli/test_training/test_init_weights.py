"""``--init-weights`` replaces what the backbone starts from."""

import argparse

import pytest
from mmengine.config import Config

from mmreid_ext.cli.training.init_weights import add_init_weights_argument, apply_init_weights
from mmreid_ext.errors import MissingFileError, UserError


def applied(*options, **cfg):
    parser = argparse.ArgumentParser()
    add_init_weights_argument(parser)
    cfg = Config(dict(dict(model=dict(backbone=dict(type="ResNet", init_cfg="old"))), **cfg))
    apply_init_weights(cfg, parser.parse_args(options))
    return cfg


def test_the_file_takes_the_place_of_the_download(tmp_path, monkeypatch):
    (tmp_path / "w.pth").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    cfg = applied("--init-weights", "w.pth")
    expected = dict(type="Pretrained", checkpoint=str(tmp_path / "w.pth"))
    assert cfg.model.backbone.init_cfg == expected
    assert applied().model.backbone.init_cfg == "old"


def test_what_would_have_no_effect_is_refused(tmp_path):
    path = tmp_path / "w.pth"
    with pytest.raises(MissingFileError, match=r"--init-weights .*w\.pth: no such file"):
        applied("--init-weights", str(path))
    path.write_bytes(b"")
    for more, reason in (
        (dict(resume=True), "--resume would overwrite"),
        (dict(load_from="b.pth"), "load_from=b.pth would overwrite"),
        (dict(model=dict()), "no model.backbone"),
    ):
        with pytest.raises(UserError, match=reason):
            applied("--init-weights", str(path), **more)
