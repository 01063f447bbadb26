"""What an iteration of MetaBIN must not do: gradients of weights in meta passes, and waiting."""

import pytest
import torch
from helpers.metabin_problem import OPTIM_WRAPPER, make_batch, make_model
from mmengine.optim import build_optim_wrapper
from torch.utils._python_dispatch import TorchDispatchMode

from mmreid_ext.engine import MetaBINTrainLoop, meta_update_gates
from mmreid_ext.engine.step_outputs import average_over_ranks, stop_if_not_finite
from mmreid_ext.models.losses import label_smoothing
from mmreid_ext.models.norms.kernels import dispatch, generic

SPLIT = (0, 3)


class Calls(TorchDispatchMode):
    """Notes every operation and its arguments."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.seen.append((func.overloadpacket.__name__, args))
        return func(*args, **(kwargs or {}))

    def named(self, name):
        return [args for called, args in self.seen if called == name]


@pytest.fixture(scope="module")
def batches():
    generator = torch.Generator().manual_seed(2)
    return make_batch(generator), make_batch(generator)


def meta_update(model, batch, **changes):
    return meta_update_gates(
        model, **batch, train_domains=SPLIT, inner_lr=0.1, gate_lr=0.01, **changes
    )


def test_meta_passes_compute_no_weight_gradient(batches):
    model = make_model(0.7)
    with Calls() as calls:
        meta_update(model, batches[1])
    backward = calls.named("convolution_backward")
    convolutions = [m for m in model.modules() if isinstance(m, torch.nn.Conv2d)]
    assert len(backward) == 2 * (len(convolutions) - 1)  # nothing below the stem's needs one
    for *_, (for_input, for_weight, for_bias) in backward:
        assert (for_input, for_weight, for_bias) == (True, False, False)


def test_meta_passes_do_not_touch_the_reducer_or_the_optimiser(batches):
    """Hooks of weights, which is how DistributedDataParallel learns of gradients, stay silent."""
    model = make_model(0.7)
    fired = []
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            parameter.register_post_accumulate_grad_hook(lambda p, n=name: fired.append(n))
    meta_update(model, batches[1])
    assert fired == []


def step_and_log(batches):
    """An iteration as the loop runs it, up to the numbers that are logged."""
    model = make_model(0.7)
    wrapper = build_optim_wrapper(model, dict(OPTIM_WRAPPER))

    def run():
        log = MetaBINTrainLoop.metabin_step(
            model,
            *batches,
            optim_wrapper=wrapper,
            train_domains=SPLIT,
            inner_lr=0.1,
            gate_lr=0.01,
        )
        stop_if_not_finite(average_over_ranks(log), iteration=0)

    return run


# Operations that fetch a number from the device, or whose result has a size only the device knows.
WAITING = ("_local_scalar_dense", "nonzero", "masked_select", "_unique2", "unique_consecutive")


def test_an_iteration_waits_for_the_device_once(batches, monkeypatch):
    """One read of all logged terms together, with everything that runs on a CPU only left out."""
    monkeypatch.setattr(dispatch, "kernels_for", lambda x: generic)
    monkeypatch.setattr(label_smoothing, "check_label_range", lambda *args: None)
    run = step_and_log(batches)
    reads = []
    tolist = torch.Tensor.tolist
    monkeypatch.setattr(torch.Tensor, "tolist", lambda t: reads.append(t.shape) or tolist(t))
    with Calls() as calls:
        run()
    assert {name: len(calls.named(name)) for name in WAITING if calls.named(name)} == {}
    assert len(reads) == 1


def test_the_counter_of_waits_sees_them():
    with Calls() as calls:
        torch.ones(3).sum().item()
        bool(torch.ones(3).all())
        torch.ones(3)[torch.ones(3) > 0]
    assert len(calls.named("_local_scalar_dense")) == 2
    assert len(calls.named("nonzero")) + len(calls.named("index")) >= 1
