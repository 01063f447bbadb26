"""A file that can't be written is told as what it is, and leaves nothing."""

import io
import resource

import pytest
import torch

from mmreid_ext.checkpoint import safe_load
from mmreid_ext.checkpoint.saving.stream import PatientFile, plain_checkpoint, write_checkpoint


class Full(io.BytesIO):
    """Has room for a number of bytes."""

    def __init__(self, room):
        super().__init__()
        self.room = room

    def write(self, data):
        if self.tell() + memoryview(data).nbytes > self.room:
            raise OSError(28, "No space left on device")
        return super().write(data)


def checkpoint():
    return plain_checkpoint(dict(state_dict=dict(a=torch.arange(5000.0))))


def test_streamed_file_is_the_checkpoint(tmp_path):
    write_checkpoint(checkpoint(), tmp_path / "new" / "iter_1.pth")
    loaded = safe_load(tmp_path / "new" / "iter_1.pth")
    assert torch.equal(loaded["state_dict"]["a"], torch.arange(5000.0))


@pytest.mark.parametrize("room", [0, 100, 10_000, 20_500])
def test_first_error_is_kept_and_pytorch_does_not_end_the_process(room):
    file = PatientFile(Full(room))
    torch.save(checkpoint(), file)
    assert file.error.errno == 28


def test_file_larger_than_the_system_allows_leaves_the_old_one(tmp_path):
    path = tmp_path / "iter_1.pth"
    path.write_bytes(b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            write_checkpoint(checkpoint(), path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == b"old" and [p.name for p in tmp_path.iterdir()] == ["iter_1.pth"]


def test_functions_of_schedules_are_left_out():
    plain = plain_checkpoint(dict(param_schedulers=[dict(last_step=1, anneal=len)]))
    assert plain == dict(param_schedulers=[dict(last_step=1)])
