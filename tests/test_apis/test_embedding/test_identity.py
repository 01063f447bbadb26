"""Embeddings of two models are not compared."""

import json

import pytest

from mmreid_ext.apis.embedding.identity import plan_of, require_same_model
from mmreid_ext.apis.embedding.image_list import ImageList
from mmreid_ext.errors import UserError


def notes(use="{}", **checkpoint):
    return dict(checkpoint=json.dumps(dict(file="m.pth") | checkpoint), use=use)


def test_the_same_weights_pass_in_another_file():
    require_same_model(notes(weights="w", sha256="1"), "f.npz", notes(weights="w", sha256="2"))
    require_same_model({}, "f.npz", notes(sha256="2"))


def test_another_model_or_another_use_is_refused():
    with pytest.raises(
        UserError, match=r"f.npz .*another model: old.pth \(1111\), now m.pth \(2222"
    ):
        require_same_model(notes(file="old.pth", sha256="1111"), "f.npz", notes(sha256="2222"))
    with pytest.raises(UserError, match='under other settings: {"flip": 1}, now {}'):
        require_same_model(notes('{"flip": 1}', sha256="1"), "f.npz", notes(sha256="1"))


def test_the_plan_follows_model_pictures_and_batches(tmp_path):
    images = ImageList("x", tmp_path, ["a"])
    plan = plan_of(notes(sha256="1"), images, 64)
    assert plan == plan_of(notes(sha256="1"), images, 64)
    for other in (
        plan_of(notes(sha256="2"), images, 64),
        plan_of(notes(sha256="1"), images, 32),
        plan_of(notes("{1}", sha256="1"), images, 64),
        plan_of(notes(sha256="1"), ImageList("x", tmp_path, ["b"]), 64),
    ):
        assert other != plan
