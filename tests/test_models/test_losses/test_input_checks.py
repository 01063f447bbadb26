import pytest
import torch
from torch import nn

from mmreid_ext.models.losses.input_checks import (
    check_at_least_one,
    check_dimension,
    check_label_range,
    check_rows,
)

LOSS, FEATS, PIDS = nn.MSELoss(), torch.zeros(3, 2), torch.tensor([0, 1, 1])


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int64])
def test_right_inputs_pass(dtype):
    check_rows(LOSS, FEATS, pids=PIDS.to(dtype))
    check_label_range(LOSS, PIDS, 2)
    check_dimension(LOSS, FEATS, 2, "feat_dim")
    check_at_least_one(LOSS, feat_dim=1)


@pytest.mark.parametrize(
    ("error", "message", "check"),
    [
        (
            TypeError,
            "MSELoss: logits are torch.int64, but must be floating point; call",
            lambda: check_rows(LOSS, FEATS.long(), "logits", pids=PIDS),
        ),
        (
            ValueError,
            r"MSELoss: feats have shape \(3,\), but must be \(N, D\)",
            lambda: check_rows(LOSS, FEATS[:, 0], pids=PIDS),
        ),
        (ValueError, "with N >= 1", lambda: check_rows(LOSS, FEATS[:0], pids=PIDS[:0])),
        (
            TypeError,
            "MSELoss: domains are torch.bool, but must be integers; call",
            lambda: check_rows(LOSS, FEATS, pids=PIDS, domains=PIDS.bool()),
        ),
        (
            TypeError,
            "pids are torch.complex64, but must be integers",
            lambda: check_rows(LOSS, FEATS, pids=PIDS.to(torch.complex64)),
        ),
        (
            ValueError,
            r"MSELoss: pids have shape \(3, 1\), but must be \(3,\), one per row of feats",
            lambda: check_rows(LOSS, FEATS, pids=PIDS[:, None]),
        ),
        (
            ValueError,
            r"MSELoss: pids range over \[-1, 0\], but num_classes=2 allows \[0, 1\]",
            lambda: check_label_range(LOSS, PIDS - 1, 2),
        ),
        (ValueError, r"\[0, 1\], but num_classes=1", lambda: check_label_range(LOSS, PIDS, 1)),
        (
            ValueError,
            "MSELoss: size=5, but feats have dimension 2; build MSELoss with size=2",
            lambda: check_dimension(LOSS, FEATS, 5, "size"),
        ),
        (
            ValueError,
            "MSELoss: num_classes=0 must be at least 1",
            lambda: check_at_least_one(LOSS, feat_dim=1, num_classes=0),
        ),
    ],
)
def test_wrong_inputs_name_the_loss_and_the_remedy(error, message, check):
    with pytest.raises(error, match=message):
        check()


def test_ranges_on_an_accelerator_are_left_to_the_device():
    check_label_range(LOSS, torch.empty(3, dtype=torch.long, device="meta"), 2)
