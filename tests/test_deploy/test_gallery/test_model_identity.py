"""The model of a gallery: taken from what knows it, written and read, compared."""

import dataclasses
from types import SimpleNamespace

import pytest
from helpers.galleries import MODEL, THRESHOLDS

from mmreid_ext.deploy.gallery.model_identity import (
    model_from_text,
    model_of,
    model_to_text,
    require_same_model,
)
from mmreid_ext.errors import UserError


def test_taken_from_what_knows_it():
    info = SimpleNamespace(
        identity="ab", name="m.onnx", size=8, all_thresholds=THRESHOLDS, thresholds=[]
    )
    model = model_of(info)
    assert (model.identity, model.name, model.size) == ("ab", "m.onnx", 8)
    assert model.all_thresholds == THRESHOLDS and model_of(model) is model


@pytest.mark.parametrize(
    "wrong", ["m.onnx", SimpleNamespace(identity="a", name="b", size=0), SimpleNamespace(name="b")]
)
def test_anything_else_is_refused(wrong):
    with pytest.raises(UserError, match="model"):
        model_of(wrong)


def test_written_and_read():
    assert model_from_text(model_to_text(MODEL), "x.db") == MODEL


@pytest.mark.parametrize("text", [None, "", "[]", '{"identity": "a"}', "{" * 9999])
def test_damaged_text(text):
    with pytest.raises(UserError, match=r"x\.db.*damaged"):
        model_from_text(text, "x.db")


def test_the_name_may_differ():
    require_same_model(MODEL, None, "x.db")
    require_same_model(MODEL, dataclasses.replace(MODEL, name="other"), "x.db")
    for change in (dict(identity=MODEL.identity + "/int8"), dict(size=17)):
        with pytest.raises(UserError, match=r"x\.db holds embeddings of another model: best\.onnx"):
            require_same_model(MODEL, dataclasses.replace(MODEL, **change), "x.db")
