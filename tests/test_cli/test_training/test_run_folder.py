"""A second run does not start in the folder of the first."""

import pytest
from mmengine.config import Config

from mmreid_ext.cli.training.run_folder import check_run_folder
from mmreid_ext.errors import UserError


@pytest.mark.parametrize("name", ["last_checkpoint", "iter_10.pth"])
def test_a_folder_with_checkpoints_is_kept(tmp_path, name):
    cfg = Config(dict(work_dir=str(tmp_path / "run")))
    check_run_folder(cfg)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "20260101.log").touch()
    check_run_folder(cfg)
    (tmp_path / "run" / name).touch()
    with pytest.raises(UserError, match=r"--resume, or .* --work-dir .*run_2\.$"):
        check_run_folder(cfg)
    (tmp_path / "run_2").mkdir()
    (tmp_path / "run_2" / name).touch()
    with pytest.raises(UserError, match=r"run_3\.$"):
        check_run_folder(cfg)
    cfg.resume = True
    check_run_folder(cfg)
