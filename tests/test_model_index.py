"""The files that OpenMIM reads name every configuration, and nothing that does not exist."""

import pytest
import torch
import yaml
from helpers.paths import ROOT


def _metafiles():
    index = yaml.safe_load((ROOT / "model-index.yml").read_text())
    return [ROOT / path for path in index["Import"]]


def test_model_index_lists_every_metafile():
    assert sorted(_metafiles()) == sorted((ROOT / "configs").rglob("metafile.yml"))


@pytest.mark.parametrize("path", _metafiles(), ids=lambda path: path.parent.name)
def test_metafile_is_one_that_mim_can_read(path):
    meta = yaml.safe_load(path.read_text())
    collections = {item["Name"] for item in meta["Collections"]}
    for item in meta["Collections"]:
        assert (ROOT / item["README"]).is_file()
        assert set(item["Paper"]) == {"Title", "URL"}
    for model in meta["Models"]:
        config = ROOT / model["Config"]
        assert model["Name"] == model["Name"].lower() == config.stem
        assert config.is_file()
        assert model["In Collection"] in collections
        assert "Weights" not in model  # none is published


def test_every_configuration_is_in_a_metafile():
    models = [m for path in _metafiles() for m in yaml.safe_load(path.read_text())["Models"]]
    listed = [model["Config"] for model in models]
    assert sorted(listed) == [
        f"configs/{path.name}" for path in sorted((ROOT / "configs").glob("*.py"))
    ]


def test_config_basenames_are_unique():
    """``mim train mmreid_ext NAME`` looks for the base name in all folders."""
    names = [path.name for path in (ROOT / "configs").rglob("*.py")]
    assert sorted(names) == sorted(set(names))


MODELS_BY_NAME = {
    model["Name"]: model["Metadata"]
    for path in _metafiles()
    for model in yaml.safe_load(path.read_text())["Models"]
}


def test_every_model_says_what_it_costs():
    assert all(m["FLOPs"] > 0 and m["Parameters"] > 0 for m in MODELS_BY_NAME.values())


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["metabin_r18_synthetic", "metabin_mobilenetv2_dg", "strong_baseline_r50"]
)
def test_costs_are_computed(name):
    from mmengine.analysis import FlopAnalyzer
    from mmengine.config import Config
    from mmengine.registry import DefaultScope

    from mmreid_ext.image_loading import evaluation_steps
    from mmreid_ext.registry import MODELS

    cfg = Config.fromfile(ROOT / "configs" / f"{name}.py")
    steps = evaluation_steps(cfg)
    width, height = steps.loader["scale"]
    with DefaultScope.overwrite_default_scope("mmpretrain"):
        model = MODELS.build(cfg.model).eval()
    model.forward, model.flip_test = model.embed, False
    analyzer = FlopAnalyzer(model, (torch.zeros(1, 3, height, width),))
    counted = analyzer.unsupported_ops_warnings(False).uncalled_modules_warnings(False).total()
    costs = MODELS_BY_NAME[name]
    assert (costs["FLOPs"], costs["Parameters"]) == (
        counted,
        sum(p.numel() for p in model.parameters()),
    )
