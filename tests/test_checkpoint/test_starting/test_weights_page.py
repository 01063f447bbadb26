"""The page of weights names the file of every configuration."""

import pytest
from helpers.paths import ROOT
from mmengine.config import Config

from mmreid_ext.checkpoint.starting import missing_weights

PAGE = (ROOT / "docs" / "weights.md").read_text()


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.py")), ids=lambda p: p.stem)
def test_the_file_of_a_configuration_is_on_the_page(path, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    for weights in missing_weights(Config.fromfile(path)):
        if weights.url:
            folder, name = weights.url.rsplit("/", 1)
            assert f"| `{name}` | `{folder}/` |" in PAGE
