"""Half precision: bfloat16 on the CPU, and gradient scalers as float16 has them."""

import pytest
import torch
from helpers.metabin_problem import OPTIM_WRAPPER, gates_of, make_batch, make_model
from helpers.tiny_reid import tiny_runner
from mmengine.optim import OptimWrapper, build_optim_wrapper

from mmreid_ext.engine import MetaBINTrainLoop
from mmreid_ext.registry import OPTIM_WRAPPERS

LIMIT = 2.0**127  # the largest power of two of float32


class Scaler:
    """The part of a gradient scaler that the loop uses."""

    def __init__(self, scale):
        self.number = scale

    def get_scale(self):
        return self.number

    def scale(self, outputs):
        return outputs * self.number

    def get_backoff_factor(self):
        return 0.5

    def update(self, new_scale):
        self.number = float(new_scale)


@OPTIM_WRAPPERS.register_module()
class ScaledOptimWrapper(OptimWrapper):
    """Scales the loss and the gradients back, as MMEngine's float16 wrapper does on a GPU."""

    def __init__(self, scale, **kwargs):
        super().__init__(**kwargs)
        self.loss_scaler = Scaler(scale)
        self.base_scale = min(scale, 2.0**10)  # the base step never overflows

    def backward(self, loss, **kwargs):
        (loss * self.base_scale).backward()
        for group in self.optimizer.param_groups:
            for parameter in group["params"]:
                parameter.grad /= self.base_scale


@pytest.fixture(scope="module")
def batches():
    generator = torch.Generator().manual_seed(1)
    return [as_float32(make_batch(generator)) for _ in range(2)]


def as_float32(batch):
    return dict(batch, inputs=batch["inputs"].float())


def step(batches, scale, steps=1):
    model = make_model(0.7).float()
    wrapper = build_optim_wrapper(
        model, dict(OPTIM_WRAPPER, type="mmreid_ext.ScaledOptimWrapper", scale=scale)
    )
    logs = [
        MetaBINTrainLoop.metabin_step(
            model,
            *batches,
            optim_wrapper=wrapper,
            train_domains=(0, 1),
            inner_lr=0.02,
            gate_lr=0.2,
        )
        for _ in range(steps)
    ]
    return model, wrapper, logs


def test_scaling_changes_no_digit_of_weights_and_gates(batches):
    states = [step(batches, scale, steps=2)[0].state_dict() for scale in (1.0, 2.0**10)]
    for name, value in states[0].items():
        assert torch.equal(value, states[1][name]), name


def test_an_overflow_of_the_meta_passes_skips_them_and_lowers_the_scale(batches):
    before = gates_of(make_model(0.7).float())
    model, wrapper, (log,) = step(batches, LIMIT)
    assert log["meta_skipped"] == 1
    assert torch.equal(gates_of(model), before)
    assert wrapper.loss_scaler.get_scale() == LIMIT / 2
    # Otherwise a scale that only the base step tolerates would keep the gates from ever moving.
    model, wrapper, logs = step(batches, LIMIT, steps=8)
    assert logs[-1]["meta_skipped"] == 0
    assert not torch.equal(gates_of(model), before)


def step_with_scaler_of_pytorch(batches, init_scale, loss_weight=1.0):
    if not hasattr(torch.amp, "GradScaler"):
        pytest.skip("this PyTorch has no gradient scaler for the CPU")
    model = make_model(0.7).float()
    model.head.loss_weights = dict.fromkeys(model.head.losses, loss_weight)
    wrapper = build_optim_wrapper(
        model, dict(OPTIM_WRAPPER, type="mmreid_ext.ScaledOptimWrapper", scale=1.0)
    )
    scaler = torch.amp.GradScaler("cpu", init_scale=init_scale, backoff_factor=0.5)
    wrapper.loss_scaler = scaler
    wrapper.backward = lambda loss: scaler.scale(loss).backward()

    def scaled_step():
        scaler.step(wrapper.optimizer)
        scaler.update()

    wrapper.step = scaled_step
    log = MetaBINTrainLoop.metabin_step(
        model, *batches, optim_wrapper=wrapper, train_domains=(0, 1), inner_lr=0.02, gate_lr=0.2
    )
    return model, scaler, log


def test_scaler_of_pytorch_changes_no_digit(batches):
    model, scaler, log = step_with_scaler_of_pytorch(batches, 2.0**10)
    assert log["meta_skipped"] == 0
    assert scaler.get_scale() == 2.0**10
    plain, _, _ = step(batches, 1.0)
    for name, value in plain.state_dict().items():
        assert torch.equal(value, model.state_dict()[name]), name


def test_scaler_of_pytorch_after_an_overflow_everywhere(batches):
    model, scaler, log = step_with_scaler_of_pytorch(batches, LIMIT, loss_weight=64.0)
    assert log["meta_skipped"] == 1
    assert scaler.get_scale() == LIMIT / 4  # halved by the base step, and again by the meta passes
    before = make_model(0.7).float()
    for name, parameter in before.named_parameters():
        assert torch.equal(parameter, model.get_parameter(name)), name


def test_bfloat16_training_keeps_gates_finite_and_in_range(tmp_path):
    runner = tiny_runner(
        tmp_path,
        batch_size=16,
        dtype="float32",
        optim_wrapper=dict(
            type="mmreid_ext.BFloat16OptimWrapper",
            optimizer=dict(type="SGD", lr=0.01, momentum=0.9, weight_decay=5e-4),
            constructor="mmreid_ext.ReIDOptimWrapperConstructor",
        ),
    )
    seen = []
    runner.model.backbone.layer1.register_forward_hook(lambda m, i, out: seen.append(out.dtype))
    runner.train()
    gates = gates_of(runner.model)
    assert gates.dtype == torch.float32
    assert gates.isfinite().all()
    assert ((gates >= 0) & (gates <= 1)).all()
    assert (gates < 1).any()
    # Two base steps first, then three passes per iteration: all of them under autocast.
    assert seen == [torch.bfloat16] * (1 + 3 * 3)
