"""The pretended accelerator notices what it is there for."""

import pytest
import torch
from helpers.fake_accelerator import NAME, with_accelerator
from torch import nn
from torch._subclasses.fake_tensor import DynamicOutputShapeException
from torch.utils import backend_registration

PLACE = "tests/test_fake_accelerator.py <lambda>"


def raised(call):
    try:
        return f"no error: {call()}"
    except (RuntimeError, DynamicOutputShapeException) as error:
        return type(error).__name__


def mistakes(accelerator):
    there, here = torch.ones(4, 3, device=NAME), torch.ones(4, 3)
    return {
        "tensor": raised(lambda: there + here),
        "scalar": raised(lambda: here + there.sum()),
        "weights": raised(lambda: nn.Linear(3, 2)(there)),
        "target": raised(lambda: nn.functional.cross_entropy(there, torch.zeros(4).long())),
        "two types": raised(lambda: there @ there.half().t()),
        "size by value": raised(lambda: there[there > 0]),
    }


def test_what_is_misplaced_is_an_error():
    found = with_accelerator(mistakes)
    assert found.pop("size by value") == "DynamicOutputShapeException"
    assert set(found.values()) == {"RuntimeError"}


def waits(accelerator):
    there, here = torch.ones(4, 3, device=NAME), torch.ones(4, 3)
    calls = {
        "item": lambda: there.sum().item(),
        "bool": lambda: bool(there.sum() > 1),
        "tolist": lambda: there.tolist(),
        "to the host": lambda: there.cpu(),
        "into a tensor of the host": lambda: here.clone().copy_(there),
        "to the device": lambda: here.to(NAME),
        "into a tensor of the device": lambda: there.copy_(here),
        "made on the host": lambda: torch.tensor([1, 2], device=NAME),
        "index of the host": lambda: there[torch.tensor([0, 1])],
        "sent": lambda: here.to(NAME, non_blocking=True),
        "sent into": lambda: there.copy_(here, non_blocking=True),
        "computed there": lambda: (there * 2 + 1).relu().sum(),
        "computed here": lambda: (here * 2).sum().item(),
    }
    found = {}
    for name, call in calls.items():
        accelerator.forget()
        call()
        found[name] = [*accelerator.waits, *(f"sent in {place}" for place in accelerator.sent)]
    return found


def test_every_wait_is_noted_with_its_place():
    reads, copies, sent = ([f"{what} in {PLACE}"] for what in ("reads", "copies", "sent"))
    assert with_accelerator(waits) == {
        "item": reads,
        "bool": reads,
        "tolist": reads,
        "to the host": reads,
        "into a tensor of the host": reads,
        "to the device": copies,
        "into a tensor of the device": copies,
        "made on the host": copies,
        "index of the host": copies,
        "sent": sent,
        "sent into": sent,
        "computed there": [],
        "computed here": [],
    }


def under_autocast(accelerator):
    layer, x = nn.Linear(3, 2).to(NAME), torch.ones(4, 3, device=NAME)
    with torch.autocast(NAME, torch.bfloat16):
        y = layer(x)
        dtypes = [y.dtype, (y @ y.t()).dtype, y.softmax(1).dtype]
        with torch.autocast(NAME, enabled=False):
            dtypes.append(layer(x).dtype)
    y.float().sum().backward()
    return list(map(str, [*dtypes, layer.weight.grad.dtype]))


def test_autocast_changes_types_as_on_cuda():
    half, wide = "torch.bfloat16", "torch.float32"
    assert with_accelerator(under_autocast) == [half, half, wide, wide, wide]


def test_the_device_stays_in_its_process():
    with pytest.raises(RuntimeError, match=NAME):
        torch.ones(1, device=NAME)


def test_older_pytorch_is_skipped(monkeypatch):
    name = "_setup_privateuseone_for_python_backend"
    monkeypatch.delattr(backend_registration, name, raising=False)
    with pytest.raises(pytest.skip.Exception, match="can't register a device in Python alone"):
        with_accelerator(mistakes)
