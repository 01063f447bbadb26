"""Training loop of MetaBIN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.model import BaseModel, MMDistributedDataParallel
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from torch import Tensor
from torch.utils.data import DataLoader

from mmreid_ext.checkpoint.finite_weights import what_is_left
from mmreid_ext.checkpoint.resume.run_record import describe_loader
from mmreid_ext.engine.network import reid_network_of
from mmreid_ext.engine.settings.idle_model_settings import check_meta_losses
from mmreid_ext.engine.settings.idle_settings import check_run, length_of
from mmreid_ext.engine.train_loop import ReIDTrainLoop
from mmreid_ext.engine.training_steps import positions_of, shared_seed
from mmreid_ext.models import ReIDModel
from mmreid_ext.registry import LOOPS

from .base_steps import base_batches_of
from .batch_sources import batch_source
from .gate_schedule import split_domains
from .gate_statistics import gate_statistics
from .gates import stop_for_gate
from .iteration import can_scale_down, losses_of_base_step, step_both
from .loader_pool import build_loaders
from .loss_sets import LossSets, resolve_loss_sets
from .meta_gates import GateUpdate
from .meta_loader_settings import check_meta_classes, count_domains, require_meta_dataloader
from .metabin_settings import (
    build_inner_ratio,
    check_counts,
    check_model,
    check_names,
    refuse_accumulation,
)


@LOOPS.register_module()
class MetaBINTrainLoop(ReIDTrainLoop):
    """Ordinary steps for all weights, meta-learning steps for the gates.

    Each iteration:

    1. base step on a PK batch: all weights but the gates, running statistics updated;
    2. the domains are split at random, the same way on every rank;
    3. meta-train on the one part of a domain-balanced batch, inner step of the gates;
    4. meta-test on the other part at the stepped gates, outer step from the original gates.

    The first iteration takes ``first_base_steps`` base steps. Steps 3 and 4 are
    :class:`mmreid_ext.engine.metabin.meta_gates.GateUpdate`.

    Args:
        runner: The MMEngine runner. Its model is a :class:`mmreid_ext.models.ReIDModel` with
            batch-instance norms whose gates are left to this loop (``train_gates=False``).
        dataloader: Base loader, with :class:`mmreid_ext.datasets.samplers.PKSampler`.
        max_iters: Number of iterations.
        meta_dataloader: ``batch_size`` and ``sampler`` of the meta batches, with
            :class:`mmreid_ext.datasets.samplers.DomainPKSampler`: they are loaded from the base
            loader's data set by its workers, so that neither kind of batch waits for the other's.
            (``num_workers`` given here come on top.) With other settings than the base loader's,
            such as another ``dataset``, it is a loader of its own.
        gate_lr: Outer step size of the gates, constant. The official code uses 0.1 for several
            source data sets, 0.2 for Market-1501, 0.5 for DukeMTMC. Defaults to 0.2.
        inner_ratio: ``low``, ``high`` and ``period`` of :class:`CyclicRatio`; the inner step size
            is ``gate_lr`` times this ratio. Defaults to 0.001, 0.1 and 725.
        num_train_domains: Domains of the meta-train pass. Defaults to half of them, rounded up (the
            official code: 3 of 5, 3 of 6, 4 of 8; PaddleClas rounds down).
        loss_sets: ``'single_source'``, ``'multi_source'``, ``'paddleclas'``, or a dict with names
            of the head's losses for ``base``, ``meta_train`` and ``meta_test``.
        straight_through: Gradient of the inner clamp, see ``GateUpdate``. Defaults to True.
        second_order: Whether the outer gradient runs through the inner one, see ``GateUpdate``.
            Defaults to False.
        first_base_steps: Base steps of the first iteration, each on a fresh batch. Defaults to 10.
        kwargs: ``val_begin``, ``val_interval``, ``dynamic_intervals`` of MMEngine's loop.

    Choi et al., "Meta Batch-Instance Normalization for Generalizable Person Re-Identification",
    CVPR 2021, https://arxiv.org/abs/2011.14670. This follows the official code where they differ.
    """

    def __init__(
        self,
        runner: Runner,
        dataloader: dict | DataLoader,
        max_iters: int,
        meta_dataloader: dict | DataLoader | None = None,
        gate_lr: float = 0.2,
        inner_ratio: dict | None = None,
        num_train_domains: int | None = None,
        loss_sets: str | Mapping[str, Sequence[str]] = "single_source",
        straight_through: bool = True,
        second_order: bool = False,
        first_base_steps: int = 10,
        **kwargs: Any,
    ) -> None:
        check_names(type(self), kwargs)
        check_counts(first_base_steps, num_train_domains)
        self.first_base_steps = first_base_steps
        self.inner_ratio = build_inner_ratio(inner_ratio)
        names = resolve_loss_sets(loss_sets)
        self.gate_update = GateUpdate(gate_lr, names, straight_through, second_order)
        meta_dataloader = require_meta_dataloader(meta_dataloader)
        refuse_accumulation(runner.optim_wrapper)
        model = reid_network_of(runner.model)
        check_model(model, names, second_order)
        check_meta_losses(runner, names)
        with losses_of_base_step(model.head, names.base):
            check_run(runner, dataloader, length_of("max_iters", max_iters, kwargs), True)
        base, meta = build_loaders(runner, dataloader, meta_dataloader, first_base_steps)
        self.meta_dataloader = meta
        self._count_domains(model, base, num_train_domains)
        super().__init__(runner, base, max_iters, **kwargs)
        self._batches = batch_source(base, meta, first_base_steps, self.dataloader_iterator)
        self.dataloader_iterator = iter(())  # the batches come from there now
        self._batches.start(0)

    def _check_settings(self, *_: Any) -> None:
        """Nothing: they were checked before the loaders were built."""

    def _count_domains(self, model: ReIDModel, base: DataLoader, num_train: int | None) -> None:
        """Compare model, domains and the number of meta-train domains with the meta batches."""
        self.num_domains = count_domains(self.meta_dataloader.dataset)
        if (dataset := self.meta_dataloader.dataset) is not base.dataset:
            check_meta_classes(model.head, self.gate_update.loss_sets, dataset)
        self.num_train_domains = (self.num_domains + 1) // 2 if num_train is None else num_train
        split_domains(0, 0, self.num_domains, self.num_train_domains)  # a wrong number stops here

    @property
    def _network(self) -> ReIDModel:
        return reid_network_of(self.runner.model)

    def next_batch(self) -> dict:
        """Return the next base batch."""
        return self._batches.next_base()

    def stop_loading(self) -> None:
        """End the processes that load training images."""
        super().stop_loading()
        self._batches.stop()

    def resume_data(self) -> None:
        """Continue with the batches that the interrupted run would have taken next."""
        self.take_restored_seed(self.dataloader.sampler)
        self.take_restored_seed(self._batches.meta_sampler)
        self._batches.start(self._iter)

    def run_settings(self) -> dict[str, Any]:
        """Settings that decide how the gates move; a resumed run must have the same."""
        return super().run_settings() | dict(
            gate_lr=self.gate_update.gate_lr,
            inner_ratio=vars(self.inner_ratio),
            num_train_domains=self.num_train_domains,
            loss_sets=self.gate_update.loss_sets._asdict(),
            straight_through=self.gate_update.straight_through,
            second_order=self.gate_update.second_order,
            first_base_steps=self.first_base_steps,
            meta_dataloader=describe_loader(self.meta_dataloader, self._batches.meta_sampler),
        )

    def run_iter(self, data_batch: dict) -> None:
        """Run the hooks around :meth:`train_iter`, all with the losses of the base step."""
        with losses_of_base_step(self._network.head, self.gate_update.loss_sets.base):
            super().run_iter(data_batch)

    def train_iter(self, data_batch: dict) -> dict[str, Tensor | float]:
        """Make one iteration of MetaBIN."""
        for _ in range(base_batches_of(self._iter, self.first_base_steps) - 1):
            self.runner.model.train_step(data_batch, optim_wrapper=self.runner.optim_wrapper)
            data_batch = self._batches.next_base()
        inner_lr = self.gate_update.gate_lr * self.inner_ratio(self._iter)
        seed, count = shared_seed(self.runner), self.num_train_domains
        log = step_both(
            self.runner.model,
            data_batch,
            self._batches.next_meta(),
            self.gate_update,
            optim_wrapper=self.runner.optim_wrapper,
            train_domains=split_domains(seed, self._iter, self.num_domains, count),
            inner_lr=inner_lr,
            meta_positions=positions_of(self._batches.meta_sampler),
        )
        self._bad_layer = log.pop("meta_bad_layer")
        gates = gate_statistics(self._network.bin_layers())
        return {**log, **gates, "inner_lr": inner_lr, "gate_lr": self.gate_update.gate_lr}

    def check_outputs(self, outputs: Mapping[str, float]) -> None:
        """Stop where a loss or, with nothing left to scale down, a gate's gradient isn't finite."""
        skipped = outputs["meta_skipped"]
        # After a step that isn't finite these losses aren't either; the step is what to look at.
        kept = {k: v for k, v in outputs.items() if not (skipped and k.startswith("meta_test/"))}
        super().check_outputs(kept)
        if skipped and not can_scale_down(self.runner.optim_wrapper):
            advice = what_is_left(self.runner.work_dir)
            stop_for_gate(self._network, int(self._bad_layer), self._iter, advice)

    @staticmethod
    def metabin_step(
        model: BaseModel | MMDistributedDataParallel,
        base_batch: dict,
        meta_batch: dict,
        *,
        optim_wrapper: OptimWrapper,
        train_domains: Sequence[int],
        inner_lr: float,
        gate_lr: float,
        loss_sets: LossSets | str = "single_source",
        straight_through: bool = True,
        second_order: bool = False,
        meta_positions: Sequence[int] | None = None,
    ) -> dict[str, Tensor]:
        """Make one base step and one gate update with everything given.

        Args:
            model: A :class:`ReIDModel`, or its ``MMDistributedDataParallel`` wrapper, in training
                mode.
            base_batch: ``inputs`` (images) and ``data_samples``, as a dataloader collates them.
            meta_batch: The same, with every domain in it.
            optim_wrapper: Optimiser of all weights but the gates.
            train_domains: Domains of the meta-train pass.
            inner_lr: Inner step size of the gates.
            gate_lr: Outer step size of the gates.
            loss_sets: Name of a set of losses, or the losses of each stage.
            straight_through: Gradient of the inner clamp, see ``GateUpdate``.
            second_order: Whether the outer gradient runs through the inner one.
            meta_positions: Of the meta batch's images in the batch of a single process, see
                :func:`mmreid_ext.distributed.rows_at`. Defaults to the order of the ranks.

        Returns:
            Loss terms, the base step's as MMEngine names them, ``meta_train/...`` and
            ``meta_test/...``, ``meta_skipped`` and ``meta_bad_layer``.

        Raises:
            UserError: If the optimiser wrapper accumulates gradients, which has no meaning here.
        """
        names = resolve_loss_sets(loss_sets)
        return step_both(
            model,
            base_batch,
            meta_batch,
            GateUpdate(gate_lr, names, straight_through, second_order),
            optim_wrapper=optim_wrapper,
            train_domains=train_domains,
            inner_lr=inner_lr,
            meta_positions=meta_positions,
        )
