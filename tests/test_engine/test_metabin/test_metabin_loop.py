"""What the loop refuses before it trains, its defaults, and when it stops."""

from types import SimpleNamespace

import pytest
from helpers.tiny_reid import tiny_model, tiny_runner
from mmengine.optim import build_optim_wrapper

from mmreid_ext.errors import DivergenceError


def loop(tmp_path, **changes):
    return tiny_runner(tmp_path, **changes).train_loop


@pytest.mark.parametrize("classes", [15, 17])
def test_another_number_of_classes_than_of_identities(tmp_path, classes):
    message = rf"has {classes} classes, .* 16 identities: set `model.head.num_classes=16`"
    with pytest.raises(ValueError, match=message):
        loop(tmp_path, model=tiny_model(num_classes=classes))


def test_number_of_meta_train_domains(tmp_path):
    with pytest.raises(ValueError, match="num_train_domains=4 must be at least 1 and less than"):
        loop(tmp_path, loop=dict(num_train_domains=4))


def test_gradient_accumulation_is_refused_before_any_step(tmp_path):
    wrapper = dict(optimizer=dict(type="SGD", lr=0.01), accumulative_counts=2)
    steps = dict(first_base_steps=3)  # the second of them would change the weights
    runner = tiny_runner(tmp_path, batch_size=16, optim_wrapper=wrapper, loop=steps)
    before = runner.model.head.classifier.weight.clone()
    with pytest.raises(ValueError, match="accumulative_counts=2.* use a larger batch"):
        runner.train()
    assert runner.model.head.classifier.weight.equal(before)
    built = build_optim_wrapper(runner.model, dict(wrapper))
    runner = tiny_runner(tmp_path, batch_size=16, optim_wrapper=built, loop=steps)
    with pytest.raises(ValueError, match="accumulative_counts=2"):
        runner.build_train_loop(runner._train_loop)


def test_defaults(tmp_path):
    built = loop(tmp_path)
    assert built.num_domains == 4
    assert built.num_train_domains == 2
    assert built.meta_dataloader.dataset is built.dataloader.dataset
    five = dict(type="mmreid_ext.TinyReID", num_domains=5)
    settings = dict(
        batch_size=20,
        drop_last=True,
        sampler=dict(type="mmreid_ext.DomainPKSampler", batch_size=20, num_instances=2),
        dataset=five,
    )
    odd = loop(tmp_path, loop=dict(meta_dataloader=settings, loss_sets="multi_source"))
    assert odd.num_train_domains == 3
    assert len(odd.meta_dataloader.dataset) == 80


def test_gate_whose_gradient_stays_not_finite_stops_the_run(tmp_path, monkeypatch):
    """Losses are finite; without a scale to lower, the gates would never move again."""
    runner = tiny_runner(tmp_path, batch_size=16, max_iters=3)
    name, layer = list(runner.model.bin_layers().items())[2]
    forward = type(layer).forward

    def spoil(self, x):
        out = forward(self, x)
        if self is layer and self.stepped_gate is not None:
            out = out + (self.stepped_gate * 0).sqrt().sum() * 0  # finite; its derivative isn't
        return out

    monkeypatch.setattr(type(layer), "forward", spoil)
    with pytest.raises(DivergenceError, match=rf"{name}\.gate is not finite at iteration 1"):
        runner.train()

    loop, scaler = runner.train_loop, SimpleNamespace()
    runner.optim_wrapper.loss_scaler = scaler
    scaler.get_scale = lambda: 1024.0
    loop.check_outputs(dict(meta_skipped=1.0))  # the scale goes down, and the run on
    scaler.get_scale = lambda: 1e-6
    with pytest.raises(DivergenceError, match=rf"{name}\.gate"):
        loop.check_outputs(dict(meta_skipped=1.0))
