"""What a user wants to have checked."""

import pytest
from helpers.fake_images import write_images, write_market

from mmreid_ext.cli.checking.target import read_target
from mmreid_ext.errors import UserError


def test_a_configuration_or_a_path(tmp_path):
    write_market(tmp_path)
    config = tmp_path / "config.py"
    dataset = f"dict(type='mmreid_ext.Market1501', data_root={str(tmp_path)!r})"
    config.write_text(f"train_dataloader = dict(dataset={dataset})\n")
    assert [len(one.records) for one in read_target(str(config))] == [12]
    write_images(tmp_path / "people", "lea/1.jpg")
    assert [len(one.records) for one in read_target(str(tmp_path / "people"))] == [1]


def test_a_configuration_without_data_is_refused(tmp_path):
    (tmp_path / "config.py").write_text("model = dict()\n")
    with pytest.raises(UserError, match="has no train_dataloader"):
        read_target(str(tmp_path / "config.py"))
