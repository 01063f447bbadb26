"""Times are read as people and Slurm write them."""

import pytest

from mmreid_ext.errors import UserError
from mmreid_ext.stopping.durations import seconds_of, shown


@pytest.mark.parametrize(
    "text, seconds",
    [
        ("3h50m", 13800),
        ("90s", 90),
        ("45min", 2700),
        ("1d2h3m4s", 93784),
        ("0:01:30", 90),
        ("1-12:00:00", 129600),
    ],
)
def test_durations(text, seconds):
    assert seconds_of(text) == seconds
    assert seconds_of(shown(seconds)) == seconds


@pytest.mark.parametrize(
    "text", ["", "0s", "3h 50m", "-5m", "240", "1.5h", "m", "5m3h", "9" * 5000]
)
def test_what_is_none_is_refused(text):
    with pytest.raises(UserError, match="must be like 3h50m"):
        seconds_of(text)


def test_shown_to_the_second():
    assert [shown(s) for s in (13800, 0.2, 61)] == ["3h50m", "0s", "1m1s"]
