"""What the loop refuses before it trains, and its defaults."""

import pytest
from helpers.tiny_reid import tiny_model, tiny_runner
from mmengine.optim import build_optim_wrapper

BASE_ONLY = dict(base=("ce",), meta_train=("ce",))


def loop(tmp_path, **changes):
    return tiny_runner(tmp_path, **changes).train_loop


def test_model_without_batch_instance_norms(tmp_path):
    with pytest.raises(ValueError, match=r"norm_cfg=dict\(type='mmreid_ext.BIN'\)"):
        loop(tmp_path, model=tiny_model(norm="mmreid_ext.SyncBN"))


def test_gates_trained_as_ordinary_weights(tmp_path):
    with pytest.raises(ValueError, match="gates are trained .*backbone.bn1 .*train_gates=False"):
        loop(tmp_path, model=dict(tiny_model(), train_gates=True))


@pytest.mark.parametrize("classes", [15, 17])
def test_another_number_of_classes_than_of_identities(tmp_path, classes):
    message = rf"has {classes} classes, .* 16 identities: set `model.head.num_classes=16`"
    with pytest.raises(ValueError, match=message):
        loop(tmp_path, model=tiny_model(num_classes=classes))


@pytest.mark.parametrize("number", [0, 4, -1])
def test_number_of_meta_train_domains(tmp_path, number):
    with pytest.raises(ValueError, match=f"num_train_domains={number} must be at least 1"):
        loop(tmp_path, loop=dict(num_train_domains=number))


@pytest.mark.parametrize(
    ("loss_sets", "message"),
    [
        ("official", "one of single_source, multi_source, paddleclas or a dict, got 'official'"),
        (BASE_ONLY, "needs the keys base, meta_train, meta_test, got"),
        (dict(BASE_ONLY, meta_test=("tripled",)), "Unknown loss tripled; .*ce, triplet, scatter"),
    ],
    ids=["unknown set", "stage missing", "unknown loss"],
)
def test_wrong_loss_sets(tmp_path, loss_sets, message):
    with pytest.raises(ValueError, match=message):
        loop(tmp_path, loop=dict(loss_sets=loss_sets))


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
