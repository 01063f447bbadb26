"""Settings of the process are checked on one rank, too, and before anything starts."""

import pytest
from mmengine.config import Config

from mmreid_ext.engine.settings.environment_settings import check_environment_settings
from mmreid_ext.errors import UserError


@pytest.mark.parametrize(
    "settings",
    [
        dict(),
        dict(randomness=None, env_cfg=None, val_cfg=None),
        dict(randomness=dict(seed=2**32 - 1, deterministic=True, diff_rank_seed=False)),
        dict(randomness=dict(seed=None)),
        dict(env_cfg=dict(cudnn_benchmark=True, resource_limit=4096, mp_cfg=None)),
        dict(env_cfg=dict(mp_cfg=dict(mp_start_method="fork", opencv_num_threads=0))),
        dict(val_cfg=dict(type="ValLoop", fp16=True), test_cfg=dict()),
        dict(val_cfg=dict(type="MyLoopOfAnotherFile", whatever=1)),
    ],
)
def test_what_is_right(settings):
    check_environment_settings(Config(settings))


WRONG = [
    (dict(randomness=dict(seed="x")), "randomness.seed='x' must be a whole number"),
    (dict(randomness=dict(seed=-1)), "randomness.seed=-1 must be a whole number"),
    (dict(randomness=dict(seed=2**32)), "from 0 to 2.32 - 1"),
    (dict(randomness=dict(deterministic="no")), "randomness.deterministic='no' must be True or"),
    (dict(randomness=dict(diff_rank_seed=3)), "randomness.diff_rank_seed=3 must be True or"),
    (dict(env_cfg=dict(resource_limit="x")), "env_cfg.resource_limit='x' must be a whole number"),
    (dict(env_cfg=dict(cudnn_benchmark="y")), "env_cfg.cudnn_benchmark='y' must be True or"),
    (dict(env_cfg=dict(mp_cfg=dict(mp_start_method="frok"))), "'frok' .did you mean 'fork'"),
    (dict(env_cfg=dict(mp_cfg=dict(opencv_num_threads="all"))), "opencv_num_threads='all' must"),
    (dict(val_cfg=dict(fp61=True)), "val_cfg: ValLoop takes no 'fp61' .did you mean 'fp16'"),
    (dict(test_cfg=dict(tpye="TestLoop")), "test_cfg: TestLoop takes no 'tpye' .did you mean 'ty"),
]


@pytest.mark.parametrize(("settings", "message"), WRONG)
def test_what_is_wrong_is_refused(settings, message):
    with pytest.raises(UserError, match=message):
        check_environment_settings(Config(settings))
