"""Steps and loops on an accelerator: nothing misplaced, and where the host waits for the device.

An iteration reads the device once, for all logged numbers. It copies images and labels of its
batches before anything is queued; MMEngine's and MMPretrain's preprocessors do. A scaler of float16
gradients reads for itself.
"""

import functools
import tempfile

import mmengine.optim.optimizer.amp_optimizer_wrapper as amp_of_mmengine
import mmengine.runner.amp
import mmengine.runner.runner
import torch
from helpers.fake_accelerator import NAME, with_accelerator
from helpers.metabin_problem import NUM_DOMAINS, make_batch
from helpers.tiny_loops import EPOCHS, ITERS_PER_EPOCH, make_runner
from helpers.tiny_reid import LOSSES, tiny_model, tiny_runner
from helpers.tiny_xbm import xbm_head, xbm_runner
from mmengine.hooks import Hook
from mmengine.optim import build_optim_wrapper

from mmreid_ext.engine import MetaBINTrainLoop, meta_update_gates
from mmreid_ext.models.reid_model import IMAGENET_PREPROCESSOR
from mmreid_ext.registry import MODELS

IMAGES = "copies in base_model/data_preprocessor.py cast_data"
LABELS = "copies in utils/data_preprocessor.py forward"
LOG = "reads in engine/step_outputs.py average_over_ranks"
CLIP = "reads in optimizer/optimizer_wrapper.py _clip_grad"
EMBEDDINGS = "reads in evaluation/reid_metric.py process"
SCALER = "reads in amp/grad_scaler.py _maybe_opt_step"
OURS = dict(constructor="mmreid_ext.ReIDOptimWrapperConstructor")
WRAPPERS = {
    "Adam, one group": dict(optimizer=dict(type="Adam", lr=1e-3)),
    "SGD": dict(OURS, optimizer=dict(type="SGD", lr=0.1, momentum=0.9, weight_decay=5e-4)),
    "Adam": dict(OURS, optimizer=dict(type="Adam", lr=1e-3), paramwise_cfg=dict(center_lr=0.1)),
    "AdamW": dict(OURS, optimizer=dict(type="AdamW", lr=1e-3), clip_grad=dict(max_norm=1.0)),
    "bfloat16": dict(
        OURS,
        type="mmreid_ext.BFloat16OptimWrapper",
        device_type=NAME,
        optimizer=dict(type="SGD", lr=0.1),
    ),
    "float16": dict(
        OURS, type="AmpOptimWrapper", dtype="float16", optimizer=dict(type="SGD", lr=0.1)
    ),
}


def network():
    """A network with MetaBIN's losses and a centre loss, and the preprocessor of photographs."""
    center = dict(type="mmreid_ext.CenterLoss", num_classes=16, feat_dim=16)
    cfg = tiny_model(losses=dict(LOSSES, center=center))
    cfg["head"].update(train_losses=("ce", "triplet", "center"))
    cfg["data_preprocessor"] = dict(IMAGENET_PREPROCESSOR)
    return MODELS.build(cfg).to(NAME).train()


def batch():
    made = make_batch(torch.Generator().manual_seed(0))
    return dict(made, inputs=made["inputs"].to(torch.uint8))


def let_mmengine_know():
    """MMEngine lists the accelerators that it supports; the process ends after the test."""
    amp_of_mmengine.is_cuda_available = lambda: True
    amp_of_mmengine.GradScaler = functools.partial(torch.amp.GradScaler, NAME)
    mmengine.runner.amp.autocast = functools.partial(torch.autocast, NAME)
    mmengine.runner.runner.get_device = lambda: NAME


def base_steps(accelerator):
    let_mmengine_know()
    found = {}
    for name, cfg in WRAPPERS.items():
        model = network()
        wrapper = build_optim_wrapper(model, cfg)
        accelerator.forget()
        model.train_step(batch(), optim_wrapper=wrapper)
        found[name] = [*accelerator.waits, len(accelerator.sent)]
    return found


def test_a_base_step_with_each_optimiser():
    assert with_accelerator(base_steps) == {
        "Adam, one group": [IMAGES, LABELS, 1],
        "SGD": [IMAGES, LABELS, 1],
        "Adam": [IMAGES, LABELS, 1],
        "AdamW": [IMAGES, LABELS, CLIP, 1],
        "bfloat16": [IMAGES, LABELS, 1],
        "float16": [IMAGES, LABELS, SCALER, 1],
    }


def gate_updates(accelerator):
    model = network()
    data = model.data_preprocessor(batch(), training=True)
    found = {}
    for second_order in (False, True):
        accelerator.forget()
        meta_update_gates(
            model,
            **data,
            train_domains=(0, 1),
            inner_lr=0.1,
            gate_lr=0.1,
            second_order=second_order,
            straight_through=not second_order,
        )
        found[f"second order {second_order}"] = [*accelerator.waits, len(accelerator.sent)]
    return found


def test_an_update_of_the_gates_does_not_wait():
    """Rows and domains of both passes are sent."""
    assert with_accelerator(gate_updates) == {"second order False": [4], "second order True": [4]}


def metabin_steps(accelerator):
    let_mmengine_know()
    found = {}
    for name in ("SGD", "float16"):
        model = network()
        wrapper = build_optim_wrapper(model, WRAPPERS[name])
        accelerator.forget()
        MetaBINTrainLoop.metabin_step(
            model,
            batch(),
            batch(),
            optim_wrapper=wrapper,
            train_domains=range(NUM_DOMAINS // 2),
            inner_lr=0.1,
            gate_lr=0.1,
        )
        found[name] = [*accelerator.waits, len(accelerator.sent)]
    return found


def test_a_metabin_step():
    """Both batches are copied first."""
    batches = [IMAGES, LABELS, IMAGES, LABELS]
    assert with_accelerator(metabin_steps) == {
        "SGD": [*batches, 5],
        "float16": [*batches, SCALER, 5],
    }


class WaitsOfIterations(Hook):
    """Keeps the waits of each iteration, the hooks after it among them, and of each validation."""

    priority = "LOWEST"

    def __init__(self, accelerator):
        self.accelerator, self.iterations, self.validations = accelerator, [], []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.accelerator.forget()

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.iterations.append(list(self.accelerator.waits))

    def before_val_iter(self, runner, batch_idx, data_batch=None):
        self.accelerator.forget()

    def after_val_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.validations.append(list(self.accelerator.waits))


def logged(hooks=()):
    return dict(
        default_hooks=dict(logger=dict(type="LoggerHook", interval=1), checkpoint=None),
        log_processor=dict(by_epoch=False),
        log_level="INFO",
        custom_hooks=list(hooks),
    )


def metabin_run(accelerator):
    let_mmengine_know()
    with tempfile.TemporaryDirectory() as folder:
        average = dict(type="EMAHook", momentum=0.1)
        model = dict(tiny_model(), data_preprocessor=dict(IMAGENET_PREPROCESSOR))
        settings = logged([average]) | dict(
            model=model, dtype="float32", batch_size=16, max_iters=2
        )
        runner = tiny_runner(folder, **settings)
        hook = WaitsOfIterations(accelerator)
        runner.register_hook(hook)
        runner.train()
        return hook.iterations


def test_a_metabin_iteration_reads_once_for_all_that_is_logged():
    """Losses and gates together; the first iteration has a base step more."""
    first, second = with_accelerator(metabin_run)
    assert first == [IMAGES, LABELS] * 3 + [LOG]
    assert second == [IMAGES, LABELS] * 2 + [LOG]


def xbm_run(accelerator):
    let_mmengine_know()
    with tempfile.TemporaryDirectory() as folder:
        model = dict(tiny_model(), data_preprocessor=dict(IMAGENET_PREPROCESSOR))
        model |= dict(head=xbm_head(), neck=dict(type="mmreid_ext.GlobalMaxPooling"))
        runner, _ = xbm_runner(folder, max_iters=4, dtype="float32", model=model, **logged())
        hook = WaitsOfIterations(accelerator)
        runner.register_hook(hook)
        runner.train()
        memory = runner.model.head.losses["xbm"]
        return [hook.iterations, hook.validations, [memory._fill, memory._pointer]]


def test_a_memory_that_wraps_and_its_validations():
    """40 rows of memory, 16 a step: full in the third. A validation reads once per batch."""
    iterations, validations, (fill, pointer) = with_accelerator(xbm_run)
    assert iterations == [[IMAGES, LABELS, LOG]] * 4
    assert set(map(tuple, validations)) == {(IMAGES, LABELS, EMBEDDINGS)}
    assert (fill, pointer) == (40, 3 * 16 % 40)


def epoch_run(accelerator):
    let_mmengine_know()
    with tempfile.TemporaryDirectory() as folder:
        runner = make_runner(folder, epochs=True, **logged())
        hook = WaitsOfIterations(accelerator)
        runner.register_hook(hook)
        runner.train()
        return hook.iterations


def test_a_loop_of_epochs_reads_once_per_iteration():
    """Its batches are images and identities, two tensors."""
    assert with_accelerator(epoch_run) == [[IMAGES, IMAGES, LOG]] * ITERS_PER_EPOCH * EPOCHS


def test_a_wait_in_a_step_would_be_seen():
    """The lists above aren't empty by themselves."""
    assert with_accelerator(reading_loss) == [
        IMAGES,
        LABELS,
        "reads in test_engine/test_steps_on_an_accelerator.py read_it",
    ]


def reading_loss(accelerator):
    model = network()
    wrapper = build_optim_wrapper(model, WRAPPERS["SGD"])

    def read_it(module, inputs, loss):
        loss.item()

    model.head.losses["ce"].register_forward_hook(read_it)
    accelerator.forget()
    model.train_step(batch(), optim_wrapper=wrapper)
    return accelerator.waits
