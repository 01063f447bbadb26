"""BoxMOT's side-car."""

import json
from pathlib import Path

import pytest

from mmreid_ext.export.trackers.sidecar import boxmot_sidecar

ABOUT = {"input": {"height": 128, "width": 64}}


@pytest.mark.parametrize("name", ["my.xml", "my.torchscript"])
def test_what_has_no_size_of_its_own_gets_one(name):
    (found,) = boxmot_sidecar(Path("folder") / name, ABOUT).items()
    assert found[0] == f"{name}.metadata.json"
    assert json.loads(found[1]) == {
        "schema_version": 1,
        "model_kwargs_schema_version": 1,
        "model_kwargs": {"img_size": [128, 64]},
    }


def test_onnx_says_its_size_itself():
    assert boxmot_sidecar(Path("my.onnx"), ABOUT) == {}
