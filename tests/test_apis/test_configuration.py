import pytest
import torch
from mmengine.config import Config

from mmreid_ext.apis.configuration import (
    as_config,
    as_device,
    checkpoint_and_config,
    find_config,
    without_downloads,
)
from mmreid_ext.errors import MissingFileError, UserError, UserTypeError


def test_a_configuration_is_a_file_a_name_a_config_or_a_dict(tmp_path):
    given = Config(dict(a=1))
    assert as_config(given) is given and as_config(dict(a=1)).a == 1
    (tmp_path / "mine.py").write_text("a = 2")
    assert as_config(tmp_path / "mine.py").a == as_config(str(tmp_path / "mine.py")).a == 2
    assert as_config("metabin_r50").model.type == "mmreid_ext.ReIDModel"
    with pytest.raises(UserTypeError, match="config is of type int"):
        as_config(3)


def test_names_of_ours_with_and_without_their_ending():
    assert find_config("metabin_r50.py") == find_config("metabin_r50")
    with pytest.raises(MissingFileError, match="did you mean 'metabin_r50'.*Ours are: .*xbm_r50"):
        find_config("metabin_r5o")


def test_devices():
    assert as_device("cpu") == torch.device("cpu")
    assert as_device(None).type == ("cuda" if torch.cuda.is_available() else "cpu")
    with pytest.raises(UserError, match="device='gpu'"):
        as_device("gpu")


def test_a_backbone_that_fetches_weights_fetches_none():
    backbone = dict(type="ResNet", init_cfg=dict(checkpoint="https://x.org"), pretrained=True)
    model = dict(type="ReIDModel", backbone=backbone)
    found = without_downloads(model)
    assert found == dict(
        type="ReIDModel", backbone=dict(type="ResNet", init_cfg=None, pretrained=False)
    )
    assert model["backbone"] is backbone and backbone["pretrained"] is True
    plain = dict(backbone=dict(type="ResNet"))
    assert without_downloads(plain) == plain  # no argument that the backbone may not take


def test_a_file_that_is_given_alone_is_the_checkpoint():
    assert checkpoint_and_config("w.pth", None) == ("w.pth", None)
    assert checkpoint_and_config(None, "w.pth") == ("w.pth", None)
    assert checkpoint_and_config("weights", None) == ("weights", None)
    assert checkpoint_and_config("a.py", "w.pth") == ("w.pth", "a.py")
    given = Config(dict(a=1))
    assert checkpoint_and_config(given, "w.pth") == ("w.pth", given)
    for config in ("a.py", "metabin_r50", None, given, {}):
        with pytest.raises(UserError, match="checkpoint=None, must be the file of the trained"):
            checkpoint_and_config(config, None)
    with pytest.raises(UserError, match="config='w.pth' is a checkpoint; .*device="):
        checkpoint_and_config("w.pth", "cpu")
