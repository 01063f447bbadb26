"""Weights are known again by their values."""

import torch

from mmreid_ext.checkpoint.fingerprint import weights_fingerprint


def saved(path, state, **more):
    torch.save(dict(state_dict=state, **more), path)
    return weights_fingerprint(path)


def test_the_weights_count_and_nothing_else(tmp_path):
    path = tmp_path / "a.pth"
    state = dict(a=torch.arange(4.0), b=torch.tensor(3), c=torch.ones(2, dtype=torch.bfloat16))
    known = saved(path, state)
    assert len(known) == 64
    assert saved(path, dict(reversed(state.items())), meta=dict(thresholds=[1])) == known
    for change in (
        dict(a=torch.arange(4.0).view(2, 2)),
        dict(a=torch.tensor([0.0, 1, 2, 4])),
        dict(b=torch.tensor(3, dtype=torch.int32)),
        dict(d=torch.ones(1)),
    ):
        assert saved(path, state | change) != known


def test_files_without_weights_have_none(tmp_path):
    path = tmp_path / "a.pth"
    path.write_bytes(b"weights")
    assert weights_fingerprint(path) is None
    assert saved(path, {}) is None
    torch.save([1], path)
    assert weights_fingerprint(path) is None
