"""Sent tensors hold what the host's did; that nobody waits is seen on the pretended accelerator."""

import torch
from helpers.fake_accelerator import NAME, with_accelerator

from mmreid_ext.distributed import sent_to


def test_nothing_changes():
    host = torch.tensor([[3, -1], [7, 0]])
    assert torch.equal(sent_to(torch.device("cpu"), host), host)


def send(accelerator):
    sent = sent_to(torch.device(NAME), torch.arange(6).reshape(2, 3))
    return [str(sent.device.type), list(sent.shape), accelerator.waits, accelerator.sent]


def test_the_host_does_not_wait():
    place = "distributed/sending.py sent_to"
    assert with_accelerator(send) == [NAME, [2, 3], [], [place]]
