import math

import pytest

from mmreid_ext.deploy.app.settings import Settings
from mmreid_ext.errors import UserError


def test_the_defaults_fit_together():
    assert Settings().max_images <= Settings().queue


@pytest.mark.parametrize(
    "changed",
    [
        {"max_body": 0},
        {"max_pixels": 1.5},
        {"batch": True},
        {"timeout": 0},
        {"timeout": math.nan},
        pytest.param({"timeout": 10**400}, id="more than a float holds"),
        {"wait": -1},
        {"thumbnail": -1},
        {"max_images": 600},
        {"max_body": 1 << 40},
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(changed):
    with pytest.raises(UserError, match=next(iter(changed))):
        Settings(**changed)


def test_zero_is_allowed_where_it_means_none():
    assert Settings(thumbnail=0, wait=0.0, timeout=1).thumbnail == 0
