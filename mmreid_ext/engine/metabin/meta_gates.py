"""The meta-train / meta-test update of the gates, on one given batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mmreid_ext.distributed import any_rank, get_positions, mean_over_ranks, rows_at
from mmreid_ext.errors import DivergenceError, UserError
from mmreid_ext.models.batch_targets import integers_on
from mmreid_ext.models.norms import BatchInstanceNorm2d, hold_running_stats
from mmreid_ext.models.run_state import hold_run_state


class LossSets(NamedTuple):
    """Names of the head's losses used by each stage."""

    base: tuple[str, ...]
    meta_train: tuple[str, ...]
    meta_test: tuple[str, ...]


LOSS_SETS = {
    # Official code, one data set whose cameras are the domains.
    "single_source": LossSets(
        ("ce", "triplet"), ("ce", "shuffle", "triplet", "scatter"), ("ce", "triplet")
    ),
    # Official code, several data sets.
    "multi_source": LossSets(("ce", "triplet"), ("shuffle", "triplet", "scatter"), ("triplet",)),
    # The PaddleClas port, for one data set and for several.
    "paddleclas": LossSets(
        ("ce", "triplet"), ("ce", "triplet", "scatter", "shuffle"), ("ce", "triplet")
    ),
}


@contextmanager
def frozen(module: nn.Module) -> Iterator[None]:
    """No parameter of ``module`` requires a gradient inside the block."""
    trainable = [p for p in module.parameters() if p.requires_grad]
    for parameter in trainable:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in trainable:
            parameter.requires_grad_(True)


@contextmanager
def stepped_gates(layers: Sequence[BatchInstanceNorm2d], gates: Sequence[Tensor]) -> Iterator[None]:
    """Let each layer use the given gate instead of its parameter inside the block."""
    for layer, gate in zip(layers, gates, strict=True):
        layer.stepped_gate = gate
    try:
        yield
    finally:
        for layer in layers:
            layer.stepped_gate = None


def clamp_gate(raw: Tensor, straight_through: bool) -> Tensor:
    """Clamp to [0, 1]; the gradient is 1 everywhere, or only strictly inside the interval."""
    clamped = raw.detach().clamp(0, 1)
    if straight_through:
        return raw + (clamped - raw.detach())
    inside = (raw.detach() > 0) & (raw.detach() < 1)
    return torch.where(inside, raw, clamped)


def movable_layers(model: nn.Module) -> list[BatchInstanceNorm2d]:
    """Batch-instance norms outside frozen stages: a frozen one has no trained affine parameter.

    The flag of the gate itself tells nothing: gates are never ordinary weights here.
    """
    return [
        layer
        for layer in model.bin_layers().values()
        if any(p.requires_grad for p in (layer.weight, layer.bias, layer.in_weight, layer.in_bias))
    ]


def split_rows(data_samples: Sequence, train_domains: Sequence[int]) -> tuple[list[int], list[int]]:
    """Rows of a batch that belong to the meta-train domains, and the others.

    Raises:
        ValueError: If one side is empty; the batch then isn't domain-balanced.
    """
    train = [i for i, s in enumerate(data_samples) if int(s.domain) in train_domains]
    test = [i for i, s in enumerate(data_samples) if int(s.domain) not in train_domains]
    if not train or not test:
        present = sorted({int(s.domain) for s in data_samples})
        raise UserError(
            f"A meta batch with domains {present} on this rank "
            f"leaves {'meta-test' if train else 'meta-train'} empty for the split "
            f"{tuple(train_domains)}: "
            "use DomainPKSampler, which puts every domain into every batch."
        )
    return train, test


def meta_update_gates(
    model: nn.Module,
    inputs: Tensor,
    data_samples: Sequence,
    *,
    train_domains: Sequence[int],
    inner_lr: float,
    gate_lr: float,
    loss_sets: LossSets = LOSS_SETS["single_source"],
    straight_through: bool = True,
    second_order: bool = False,
    forward_context: Callable[[], AbstractContextManager] = nullcontext,
    loss_scale: float = 1.0,
) -> dict[str, Tensor]:
    r"""Update the gates of all batch-instance norms of ``model`` once.

    With :math:`\rho` the gates, :math:`\theta` everything else (not updated, no gradient computed):

    1. meta-train: :math:`g = \nabla_\rho L_{tr}(\theta, \rho)` on the images of ``train_domains``;
    2. inner step: :math:`\rho' = clamp(\rho - \alpha g)`;
    3. meta-test: :math:`G = \nabla_\rho L_{te}(\theta, \rho')` on the other images;
    4. outer step, from the original gates: :math:`\rho \leftarrow clamp(\rho - \eta G)`.

    Running statistics, memories, counts and the gates of frozen stages stay untouched. On
    several ranks both gradients are those of the global batch and all ranks end with the same
    gates. If a gradient isn't finite (half precision), the update is skipped.

    Args:
        model: A :class:`mmreid_ext.models.ReIDModel` in training mode, not wrapped.
        inputs: Preprocessed images (N, 3, H, W) of all domains.
        data_samples: Their N data samples, with ``gt_label`` and ``domain``.
        train_domains: Domains of the meta-train pass.
        inner_lr: :math:`\alpha`.
        gate_lr: :math:`\eta`.
        loss_sets: Losses of each pass.
        straight_through: Gradient of the inner clamp: 1 everywhere (official code) or 0 at and
            beyond the bounds (PaddleClas).
        second_order: Whether :math:`d\rho'/d\rho` includes
            :math:`-\alpha \nabla^2_\rho L_{tr}`. The reference treats it as the identity.
        forward_context: Makes the context of each forward pass, such as autocast.
        loss_scale: Factor of a gradient scaler, divided out of both gradients.

    Returns:
        ``meta_train/<loss>`` and ``meta_test/<loss>`` terms, ``meta_skipped`` (0 or 1) and
        ``meta_bad_layer`` (number of the first movable layer whose gradient isn't finite, or -1),
        detached.

    Choi et al., "Meta Batch-Instance Normalization for Generalizable Person Re-Identification",
    CVPR 2021, https://arxiv.org/abs/2011.14670.
    """
    layers = movable_layers(model)
    if not layers:
        raise UserError(
            "The model has no batch-instance norm (or all are frozen): build it with "
            "norm_cfg=dict(type='mmreid_ext.BIN')."
        )
    train_rows, test_rows = split_rows(data_samples, train_domains)
    positions = get_positions()

    def run_pass(rows: list[int], gates: Sequence[Tensor], names: tuple[str, ...]):
        places = None if positions is None else [positions[i] for i in rows]
        with stepped_gates(layers, gates), rows_at(places), forward_context():
            images = inputs[integers_on(inputs.device, rows)]
            terms = model.loss_terms(images, [data_samples[i] for i in rows], names)
        return sum(terms.values()), {name: term.detach() for name, term in terms.items()}

    def gate_gradient(loss: Tensor, create_graph: bool) -> list[Tensor]:
        grads = torch.autograd.grad(loss * loss_scale, gates, create_graph=create_graph)
        return [g / loss_scale for g in mean_over_ranks(grads)]

    gates = [layer.gate.detach().clone().requires_grad_() for layer in layers]
    with hold_running_stats(model), hold_run_state(model), frozen(model):
        train_loss, train_terms = run_pass(train_rows, gates, loss_sets.meta_train)
        inner = gate_gradient(train_loss, create_graph=second_order)
        raw = [gate - inner_lr * grad for gate, grad in zip(gates, inner, strict=True)]
        stepped = [clamp_gate(gate, straight_through) for gate in raw]
        test_loss, test_terms = run_pass(test_rows, stepped, loss_sets.meta_test)
        outer = gate_gradient(test_loss, create_graph=False)
    skipped, bad_layer = _apply_outer_step(layers, inner, outer, gate_lr)
    log = {f"meta_train/{name}": term for name, term in train_terms.items()}
    log |= {f"meta_test/{name}": term for name, term in test_terms.items()}
    return log | {"meta_skipped": skipped, "meta_bad_layer": bad_layer}


@torch.no_grad()
def _apply_outer_step(layers, inner, outer, gate_lr: float) -> tuple[Tensor, Tensor]:
    bad = torch.stack([~torch.isfinite(g).all() for g in (*inner, *outer)])
    skip = any_rank(bad.any())
    for layer, grad in zip(layers, outer, strict=True):
        new = (layer.gate - gate_lr * grad).clamp_(0, 1)
        layer.gate.copy_(torch.where(skip, layer.gate, new))  # no host synchronisation
    # Inner gradients come first: one that isn't finite spoils all outer ones.
    first = torch.where(bad.any(), bad.int().argmax() % len(layers), -1)
    return skip.float(), first


def stop_for_gate(model: nn.Module, number: int, iteration: int, advice: str) -> None:
    """Raise DivergenceError for a gate whose gradient isn't finite, and would stay so.

    Args:
        model: The network without its distributed wrapper.
        number: Which of its movable layers.
        iteration: The 0-based iteration.
        advice: What the user can do.
    """
    layer = movable_layers(model)[number]
    name = next(name for name, one in model.bin_layers().items() if one is layer)
    raise DivergenceError(
        f"The gradient of {name}.gate is not finite at iteration {iteration + 1}; the gates were "
        f"left as they were. {advice}"
    )
