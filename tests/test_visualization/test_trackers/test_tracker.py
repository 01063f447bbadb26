"""What all trackers share."""

import numpy as np
import pytest

from mmreid_ext.errors import UserError
from mmreid_ext.visualization.trackers.tracker import Tracker, numbers_of


class Bare(Tracker):
    option, title = "--bare", "Bare"

    def _init_env(self):
        pass

    @property
    def experiment(self):
        return self


def test_validations_have_the_iteration_as_their_step():
    tracker = Bare("folder")
    assert tracker.step_of(3) == 3
    tracker.validation_step = 0  # before the first iteration
    assert tracker.step_of(3) == 0


def test_failures_name_the_option():
    with (
        pytest.raises(UserError, match="^--bare: Bare can't be opened, OSError: no network; leave"),
        Bare("folder").opening(),
    ):
        raise OSError("no network")


def test_numbers_of():
    values = dict(a=1, b=2.5, c=np.float32(3), d="text", e=True, f=None)
    assert numbers_of(values) == dict(a=1.0, b=2.5, c=3.0)
