"""Speed options: what they write into a configuration, and that results stay what they are."""

import argparse
import copy

import pytest
import torch
from helpers.metabin_problem import OPTIM_WRAPPER, gates_of, make_batch, make_model
from helpers.tiny_reid import tiny_model
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper

from mmreid_ext.cli.speed_options import (
    add_speed_arguments,
    apply_speed_arguments,
    store_decoded,
)
from mmreid_ext.engine import MetaBINTrainLoop
from mmreid_ext.registry import MODELS

LOAD, RESIZE = dict(type="LoadImageFromFile"), dict(type="Resize", scale=(64, 128))
REST = [dict(type="RandomFlip", prob=0.5)]


def configured(arguments, pipeline=(LOAD, dict(RESIZE, interpolation="bicubic"), *REST), **loop):
    loader = dict(dataset=dict(pipeline=list(pipeline)))
    cfg = Config(dict(model=dict(), train_dataloader=loader, train_cfg=dict(loop)))
    parser = argparse.ArgumentParser()
    add_speed_arguments(parser)
    apply_speed_arguments(cfg, parser.parse_args(arguments))
    return cfg


def test_nothing_asked_nothing_changed():
    assert configured([]).model == {}
    assert configured([]).train_dataloader.dataset.pipeline[0] == LOAD


def test_switches_of_the_model():
    model = configured(["--channels-last", "--compile"]).model
    assert model == dict(channels_last=True, compile_backbone=True)
    with pytest.raises(ValueError, match="second_order=False"):
        configured(["--compile"], second_order=True)


def test_store_replaces_loading_and_resizing_of_every_training_set():
    meta = dict(dataset=dict(pipeline=[LOAD, RESIZE]))
    cfg = configured(["--store-decoded", "x"], meta_dataloader=meta)
    load = dict(type="mmreid_ext.LoadResized", store="x", scale=(64, 128), interpolation="bicubic")
    assert cfg.train_dataloader.dataset.pipeline == [load, *REST]
    assert cfg.train_cfg.meta_dataloader.dataset.pipeline == [dict(load, interpolation="bilinear")]
    again = configured(["--store-decoded", "y"], pipeline=[load])
    assert again.train_dataloader.dataset.pipeline == [dict(load, store="y")]


def test_store_of_a_data_set_with_a_loader():
    load = dict(type="mmreid_ext.LoadResized", store="x", scale=(64, 128), interpolation="bicubic")
    for given, pipeline in (
        (dict(load, store=None), REST),
        (LOAD, [dict(RESIZE, interpolation="bicubic"), *REST]),
        (None, [dict(RESIZE, interpolation="bicubic"), *REST]),
    ):
        loader = dict(dataset=dict(loader=given, pipeline=pipeline))
        cfg = Config(dict(model=dict(), train_dataloader=loader))
        store_decoded(cfg, "x")
        assert cfg.train_dataloader.dataset == dict(loader=load, pipeline=REST)


@pytest.mark.parametrize(
    "pipeline",
    [REST, [LOAD], [LOAD, REST[0], RESIZE], [dict(LOAD, color_type="grayscale"), RESIZE]],
)
def test_store_refuses_other_pipelines(pipeline):
    with pytest.raises(ValueError, match="loading begins with"):
        configured(["--store-decoded", "x"], pipeline=pipeline)


def test_store_refuses_other_ways_to_resize():
    with pytest.raises(ValueError, match="two numbers"):
        configured(["--store-decoded", "x"], pipeline=[LOAD, dict(type="Resize", scale=64)])


def test_channels_last_model():
    """Maps stay channels-last through the network; outputs and gradients are those of NCHW."""
    torch.manual_seed(0)
    plain = MODELS.build(tiny_model()).double().train()
    last = MODELS.build(dict(tiny_model(), channels_last=True)).double().train()
    last.load_state_dict(plain.state_dict())
    seen = []
    for layer in last.bin_layers().values():
        layer.register_forward_hook(
            lambda m, i, y: seen.append(y.is_contiguous(memory_format=torch.channels_last))
        )
    images = torch.randn(4, 3, 32, 16, dtype=torch.float64)
    outputs = [model.pool(images) for model in (plain, last)]
    torch.testing.assert_close(outputs[1], outputs[0])
    assert len(seen) > 5
    assert all(seen)
    grads = [
        torch.autograd.grad(y.square().sum(), [p for p in m.backbone.parameters() if p.ndim == 4])
        for y, m in zip(outputs, (plain, last), strict=True)
    ]
    torch.testing.assert_close(grads[1], grads[0])


@pytest.mark.slow
def test_compiled_iterations_equal_eager_ones():
    """Base, meta-train and meta-test passes of one compiled backbone, two iterations."""
    generator = torch.Generator().manual_seed(3)
    batches = [make_batch(generator) for _ in range(2)]
    models = [make_model(0.7, stages=1) for _ in range(2)]
    models[1].backbone.compile(backend="aot_eager")  # no C++ compiler
    for model in models:
        wrapper = build_optim_wrapper(model, dict(OPTIM_WRAPPER))
        for _ in range(2):
            MetaBINTrainLoop.metabin_step(
                model,
                *copy.deepcopy(batches),
                optim_wrapper=wrapper,
                train_domains=(0, 3),
                inner_lr=0.1,
                gate_lr=0.1,
            )
    torch.testing.assert_close(gates_of(models[1]), gates_of(models[0]))
    torch.testing.assert_close(models[1].state_dict(), models[0].state_dict())


def test_deterministic_on_request():
    assert "randomness" not in configured([])
    assert configured(["--deterministic"]).randomness == dict(deterministic=True)
