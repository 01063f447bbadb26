"""The meta-train / meta-test update of the gates, on one given batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import reduce
from numbers import Real

import torch
from mmpretrain.structures import DataSample
from torch import Tensor

from mmreid_ext.distributed import get_positions, mean_over_ranks, rows_at
from mmreid_ext.errors import UserError, UserTypeError
from mmreid_ext.models import ReIDModel
from mmreid_ext.models.batch_targets import domains_of, integers_on, samples_at
from mmreid_ext.models.norms import BatchInstanceNorm2d, hold_running_stats
from mmreid_ext.models.run_state import hold_run_state
from mmreid_ext.setting_checks import is_finite

from .gates import clamp_gate, frozen, require_movable_layers, stepped_gates
from .loss_sets import LOSS_SETS, LossSets

ForwardContext = Callable[[], AbstractContextManager]


def split_rows(
    data_samples: Sequence[DataSample], train_domains: Sequence[int]
) -> tuple[list[int], list[int]]:
    """Rows of a batch that belong to the meta-train domains, and the others.

    Raises:
        ValueError: If one side is empty; the batch then isn't domain-balanced.
    """
    domains = domains_of(data_samples)
    train = [i for i, domain in enumerate(domains) if domain in train_domains]
    test = [i for i, domain in enumerate(domains) if domain not in train_domains]
    if not train or not test:
        present = sorted(set(domains))
        raise UserError(
            f"A meta batch with domains {present} on this rank "
            f"leaves {'meta-test' if train else 'meta-train'} empty for the split "
            f"{tuple(train_domains)}: "
            "use DomainPKSampler, which puts every domain into every batch."
        )
    return train, test


@dataclass(frozen=True)
class GateUpdate:
    r"""Update the gates of all batch-instance norms of a model by meta-learning.

    With :math:`\rho` the gates, :math:`\theta` everything else (not updated, no gradient computed):

    1. meta-train: :math:`g = \nabla_\rho L_{tr}(\theta, \rho)` on the images of ``train_domains``;
    2. inner step: :math:`\rho' = clamp(\rho - \alpha g)`;
    3. meta-test: :math:`G = \nabla_\rho L_{te}(\theta, \rho')` on the other images;
    4. outer step, from the original gates: :math:`\rho \leftarrow clamp(\rho - \eta G)`.

    Running statistics, memories, counts and the gates of frozen stages stay untouched. On
    several ranks both gradients are those of the global batch and all ranks end with the same
    gates. If a gradient isn't finite (half precision), the update is skipped.

    Args:
        gate_lr: Outer step size :math:`\eta`, at least 0.
        loss_sets: Losses of each pass.
        straight_through: Gradient of the inner clamp: 1 everywhere (official code) or 0 at and
            beyond the bounds (PaddleClas).
        second_order: Whether :math:`d\rho'/d\rho` includes
            :math:`-\alpha \nabla^2_\rho L_{tr}`. The reference treats it as the identity.

    Raises:
        UserTypeError: If ``gate_lr`` is no number, or a flag is no truth value.
        UserError: If ``gate_lr`` is negative or not finite.

    Choi et al., "Meta Batch-Instance Normalization for Generalizable Person Re-Identification",
    CVPR 2021, https://arxiv.org/abs/2011.14670.
    """

    gate_lr: float
    loss_sets: LossSets = LOSS_SETS["single_source"]
    straight_through: bool = True
    second_order: bool = False

    def __post_init__(self) -> None:
        """Check the settings."""
        gate_lr = self.gate_lr
        if isinstance(gate_lr, bool) or not isinstance(gate_lr, Real):
            raise UserTypeError(f"MetaBIN: gate_lr={gate_lr!r} must be a number.")
        if not (is_finite(gate_lr) and gate_lr >= 0):
            raise UserError(
                f"MetaBIN: gate_lr={gate_lr}, it must be finite and at least 0; a negative step "
                "would move the gates uphill."
            )
        for name in ("straight_through", "second_order"):
            value = getattr(self, name)
            if not isinstance(value, bool):
                raise UserTypeError(f"MetaBIN: {name}={value!r} must be True or False.")

    def __call__(
        self,
        model: ReIDModel,
        inputs: Tensor,
        data_samples: Sequence[DataSample],
        *,
        train_domains: Sequence[int],
        inner_lr: float,
        forward_context: ForwardContext = nullcontext,
        loss_scale: float | Tensor = 1.0,
    ) -> dict[str, Tensor]:
        r"""Update the gates of ``model`` once.

        Args:
            model: In training mode, not wrapped.
            inputs: Preprocessed images (N, 3, H, W) of all domains.
            data_samples: Their N data samples, with ``gt_label`` and ``domain``.
            train_domains: Domains of the meta-train pass.
            inner_lr: Inner step size :math:`\alpha`.
            forward_context: Makes the context of each forward pass, such as autocast.
            loss_scale: Factor of a gradient scaler, divided out of both gradients; as a 0-d tensor
                it stays on the device.

        Returns:
            ``meta_train/<loss>`` and ``meta_test/<loss>`` terms, ``meta_skipped`` (0 or 1) and
            ``meta_bad_layer`` (number of the first movable layer whose gradient isn't finite, or
            -1), detached.

        Raises:
            UserError: If the model has no gate to update, or a pass no image.
        """
        layers = require_movable_layers(model)
        train_rows, test_rows = split_rows(data_samples, train_domains)

        def losses(rows: list[int], gates: list[Tensor], names: Sequence[str]) -> dict[str, Tensor]:
            with stepped_gates(layers, gates), forward_context():
                return _losses_of_rows(model, inputs, data_samples, rows, names)

        gates = [layer.gate.detach().clone().requires_grad_() for layer in layers]
        with hold_running_stats(model), hold_run_state(model), frozen(model):
            train_terms = losses(train_rows, gates, self.loss_sets.meta_train)
            inner = _gradient(train_terms, gates, loss_scale, create_graph=self.second_order)
            raw = [gate - inner_lr * grad for gate, grad in zip(gates, inner, strict=True)]
            stepped = [clamp_gate(gate, self.straight_through) for gate in raw]
            test_terms = losses(test_rows, stepped, self.loss_sets.meta_test)
            outer = _gradient(test_terms, gates, loss_scale)
        skipped, bad_layer = _apply_outer_step(layers, inner, outer, self.gate_lr)
        log = {f"meta_train/{name}": term.detach() for name, term in train_terms.items()}
        log |= {f"meta_test/{name}": term.detach() for name, term in test_terms.items()}
        return log | {"meta_skipped": skipped, "meta_bad_layer": bad_layer}


def meta_update_gates(
    model: ReIDModel,
    inputs: Tensor,
    data_samples: Sequence[DataSample],
    *,
    train_domains: Sequence[int],
    inner_lr: float,
    gate_lr: float,
    loss_sets: LossSets = LOSS_SETS["single_source"],
    straight_through: bool = True,
    second_order: bool = False,
    forward_context: ForwardContext = nullcontext,
    loss_scale: float | Tensor = 1.0,
) -> dict[str, Tensor]:
    """Build a :class:`GateUpdate` and apply it once; both describe the arguments."""
    update = GateUpdate(gate_lr, loss_sets, straight_through, second_order)
    return update(
        model,
        inputs,
        data_samples,
        train_domains=train_domains,
        inner_lr=inner_lr,
        forward_context=forward_context,
        loss_scale=loss_scale,
    )


def _losses_of_rows(
    model: ReIDModel,
    inputs: Tensor,
    data_samples: Sequence[DataSample],
    rows: list[int],
    names: Sequence[str],
) -> dict[str, Tensor]:
    positions = get_positions()
    with rows_at(None if positions is None else [positions[i] for i in rows]):
        images = inputs[integers_on(inputs.device, rows)]
        return model.loss_terms(images, samples_at(data_samples, rows), names)


def _gradient(
    terms: dict[str, Tensor],
    gates: list[Tensor],
    loss_scale: float | Tensor,
    create_graph: bool = False,
) -> list[Tensor]:
    """Mean over the ranks of the gradient of the summed terms."""
    loss = reduce(torch.add, terms.values()) * loss_scale
    grads = torch.autograd.grad(loss, gates, create_graph=create_graph)
    return [g / loss_scale for g in mean_over_ranks(grads)]


@torch.no_grad()
def _apply_outer_step(
    layers: Sequence[BatchInstanceNorm2d],
    inner: Sequence[Tensor],
    outer: Sequence[Tensor],
    gate_lr: float,
) -> tuple[Tensor, Tensor]:
    """Move the gates, unless a gradient isn't finite.

    Returns:
        Whether nothing was moved (0 or 1), and the first layer whose gradient isn't finite, or -1.
    """
    bad = torch.stack([~torch.isfinite(g).all() for g in (*inner, *outer)])
    skip = bad.any()  # the same on all ranks, whose gradients are the mean over all of them
    for layer, grad in zip(layers, outer, strict=True):
        new = (layer.gate - gate_lr * grad).clamp_(0, 1)
        layer.gate.copy_(torch.where(skip, layer.gate, new))  # no host synchronisation
    # Inner gradients come first: one that isn't finite spoils all outer ones.
    first = torch.where(bad.any(), bad.int().argmax() % len(layers), -1)
    return skip.float(), first
