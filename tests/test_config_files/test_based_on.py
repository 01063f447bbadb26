"""Files of code are refused below a configuration of data, and nowhere else."""

import pytest
from mmengine.config import Config

from mmreid_ext.config_files.based_on import based_on_data
from mmreid_ext.config_files.yaml_data import CodeInDataError


def test_the_rule_ends_with_the_reading(tmp_path):
    (tmp_path / "base.py").write_text("a = 1\n")
    (tmp_path / "x.yml").write_text("_base_: base.py\n")
    with based_on_data(), pytest.raises(CodeInDataError, match="_base_ names .*base.py', which is"):
        Config.fromfile(tmp_path / "x.yml")
    assert Config.fromfile(tmp_path / "x.yml").a == 1
    with pytest.raises(CodeInDataError), based_on_data():
        Config.fromfile(tmp_path / "x.yml")
    assert Config.fromfile(tmp_path / "base.py").a == 1
