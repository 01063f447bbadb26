"""Settings of open-set identification."""

import pytest

from mmreid_ext.errors import UserError
from mmreid_ext.evaluation.retrieval.verification import (
    OPEN_SET_DEFAULTS,
    check_open_set,
    open_set_names,
)


def test_complete_settings_or_none():
    assert check_open_set(None) is check_open_set(False) is None
    assert check_open_set(True) == check_open_set({}) == OPEN_SET_DEFAULTS
    assert check_open_set(dict(draws=1)) == dict(OPEN_SET_DEFAULTS, draws=1)
    assert open_set_names() == ["open_set/DIR@FPR=10%", "open_set/DIR@FPR=1%"]


@pytest.mark.parametrize(
    "wrong, text",
    [
        ("yes", "got 'yes'"),
        (dict(drows=1), "unknown entries .'drows'.*'draws'"),
        (dict(unknown=1), "unknown=1"),
        (dict(draws=0), "draws=0"),
        (dict(seed=-1), "seed=-1"),
    ],
)
def test_what_is_wrong_is_said(wrong, text):
    with pytest.raises(UserError, match=f"open_set.*{text}"):
        check_open_set(wrong)
