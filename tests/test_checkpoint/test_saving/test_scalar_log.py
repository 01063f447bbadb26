"""Logged values are lost while the disk is full, which is said once; nothing else is hidden."""

import warnings

import pytest

from mmreid_ext.checkpoint.saving.scalar_log import surviving


class Backend:
    def __init__(self):
        self.error, self.written = None, []

    @surviving
    def dump(self, value):
        if self.error:
            raise self.error
        self.written.append(value)


def test_values_are_lost_aloud_until_there_is_room():
    backend = Backend()
    backend.error = OSError(28, "No space left on device")
    with pytest.warns(UserWarning, match="values are lost until there is room") as told:
        backend.dump(1)
        backend.dump(2)
    assert len(told) == 1
    backend.error = None
    backend.dump(3)
    backend.error = OSError(28, "No space left on device")
    with pytest.warns(UserWarning):
        backend.dump(4)
    assert backend.written == [3]


def test_other_errors_are_raised():
    backend = Backend()
    backend.error = PermissionError(13, "Permission denied")
    with warnings.catch_warnings(), pytest.raises(PermissionError):
        warnings.simplefilter("error")
        backend.dump(1)
