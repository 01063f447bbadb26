"""Training loop of MetaBIN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.optim import OptimWrapper
from torch import Tensor, nn
from torch.utils.data import DataLoader

from mmreid_ext.checkpoint.finite_weights import what_is_left
from mmreid_ext.checkpoint.resume.run_record import describe_loader
from mmreid_ext.distributed import rows_at
from mmreid_ext.engine.settings.idle_model_settings import check_meta_losses
from mmreid_ext.engine.settings.idle_settings import check_run, length_of
from mmreid_ext.engine.train_loop import ReIDTrainLoop, of_this_rank, start_at, stop_workers
from mmreid_ext.engine.training_steps import positions_of, shared_seed
from mmreid_ext.registry import LOOPS

from .alternating_batches import AlternatingBatches
from .gate_schedule import split_domains
from .gate_statistics import gate_statistics
from .loader_pool import build_loader_pool, can_share, without_workers
from .meta_gates import LossSets, meta_update_gates, stop_for_gate
from .meta_loader_settings import check_meta_classes, check_meta_dataloader, count_domains
from .metabin_settings import (
    build_inner_ratio,
    check_model,
    check_names,
    check_numbers,
    refuse_accumulation,
    resolve_loss_sets,
)

SMALLEST_SCALE = 1e-4
"""Below it no scale of float16 gradients helps: they are not finite by themselves."""


@LOOPS.register_module()
class MetaBINTrainLoop(ReIDTrainLoop):
    """Ordinary steps for all weights, meta-learning steps for the gates.

    Each iteration:

    1. base step on a PK batch: all weights but the gates, running statistics updated;
    2. the domains are split at random, the same way on every rank;
    3. meta-train on the one part of a domain-balanced batch, inner step of the gates;
    4. meta-test on the other part at the stepped gates, outer step from the original gates.

    The first iteration takes ``first_base_steps`` base steps. Steps 2 to 4 are
    :func:`mmreid_ext.engine.metabin.meta_gates.meta_update_gates`.

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
        straight_through: Gradient of the inner clamp, see ``meta_update_gates``. Defaults to True.
        second_order: See ``meta_update_gates``. Defaults to False.
        first_base_steps: Base steps of the first iteration, each on a fresh batch. Defaults to 10.
        kwargs: ``val_begin``, ``val_interval``, ``dynamic_intervals`` of MMEngine's loop.

    Choi et al., "Meta Batch-Instance Normalization for Generalizable Person Re-Identification",
    CVPR 2021, https://arxiv.org/abs/2011.14670. Where the paper and the official code differ, this
    is the code.
    """

    def __init__(
        self,
        runner,
        dataloader,
        max_iters: int,
        meta_dataloader: dict | None = None,
        gate_lr: float = 0.2,
        inner_ratio: dict | None = None,
        num_train_domains: int | None = None,
        loss_sets: str | Mapping[str, Sequence[str]] = "single_source",
        straight_through: bool = True,
        second_order: bool = False,
        first_base_steps: int = 10,
        **kwargs,
    ) -> None:
        check_names(type(self), kwargs)
        check_numbers(gate_lr, num_train_domains, first_base_steps, straight_through, second_order)
        self.inner_ratio = build_inner_ratio(inner_ratio)
        self.loss_sets = resolve_loss_sets(loss_sets)
        model = getattr(runner.model, "module", runner.model)
        check_model(model, self.loss_sets, second_order)
        model.head.train_losses = self.loss_sets.base
        check_meta_dataloader(meta_dataloader)
        refuse_accumulation(runner.optim_wrapper)
        check_run(runner, dataloader, length_of("max_iters", max_iters, kwargs), updates_gates=True)
        check_meta_losses(runner, self.loss_sets)
        self.first_base_steps = first_base_steps
        base = self._build_loaders(runner, dataloader, meta_dataloader)
        self.num_domains = count_domains(self.meta_dataloader.dataset)
        if self.meta_dataloader.dataset is not base.dataset:
            check_meta_classes(model.head, self.loss_sets, self.meta_dataloader.dataset)
        if num_train_domains is None:
            num_train_domains = (self.num_domains + 1) // 2
        self.num_train_domains = num_train_domains
        split_domains(0, 0, self.num_domains, num_train_domains)  # a wrong number stops here
        self.gate_lr = gate_lr
        self.straight_through = straight_through
        self.second_order = second_order
        super().__init__(runner, base, max_iters, **kwargs)
        self._start_data(0)

    def _check_settings(self, *_) -> None:
        """Nothing: they were checked before the loaders were built."""

    def _build_loaders(self, runner, dataloader, meta_dataloader) -> DataLoader:
        """Build both loaders, return the base loader; no process starts before ``_start_data``."""
        seed = shared_seed(runner)
        meta_dataloader = of_this_rank(runner, meta_dataloader, "train_cfg.meta_dataloader")
        pooled = can_share(dataloader, meta_dataloader)
        base_settings = without_workers(dataloader) if pooled else dataloader
        base = runner.build_dataloader(of_this_rank(runner, base_settings), seed=seed)
        if pooled:
            self.meta_dataloader = build_loader_pool(
                base, dataloader, meta_dataloader, self.first_base_steps, seed
            )
        else:
            if isinstance(meta_dataloader, Mapping):
                meta_dataloader = {"dataset": base.dataset, **meta_dataloader}
            self.meta_dataloader = runner.build_dataloader(meta_dataloader, seed=seed)
        return base

    def _start_data(self, iteration: int) -> None:
        """Let the next batches be those of a 0-based iteration."""
        batches = self.meta_dataloader.batch_sampler
        if isinstance(batches, AlternatingBatches):
            batches.set_start(iteration)
            # one iterator under two names: the order of the batches is the order of their use
            self.meta_iterator = self.dataloader_iterator = start_at(self.meta_dataloader, 0)
            return
        if iteration > 0:
            base_batches = iteration + self.first_base_steps - 1
            self.dataloader_iterator = start_at(self.dataloader, base_batches)
        self.meta_iterator = start_at(self.meta_dataloader, iteration)

    def stop_loading(self) -> None:
        """End the processes that load training images."""
        super().stop_loading()
        self.meta_iterator = None
        stop_workers(self.meta_dataloader)

    def run_settings(self) -> dict[str, Any]:
        """Settings that decide how the gates move; a resumed run must have the same."""
        return super().run_settings() | dict(
            gate_lr=self.gate_lr,
            inner_ratio=vars(self.inner_ratio),
            num_train_domains=self.num_train_domains,
            loss_sets=self.loss_sets._asdict(),
            straight_through=self.straight_through,
            second_order=self.second_order,
            first_base_steps=self.first_base_steps,
            meta_dataloader=describe_loader(self.meta_dataloader, self._meta_sampler),
        )

    def resume_data(self) -> None:
        """Go on with the batches that the interrupted run would have taken next."""
        self.take_restored_seed(self.dataloader.sampler)
        self.take_restored_seed(self._meta_sampler)
        self._start_data(self._iter)

    @property
    def _meta_sampler(self):
        batches = self.meta_dataloader.batch_sampler
        pooled = isinstance(batches, AlternatingBatches)
        return (batches.meta if pooled else self.meta_dataloader).sampler

    def train_iter(self, data_batch: dict) -> dict[str, Tensor | float]:
        """One iteration of MetaBIN."""
        inner_lr = self.gate_lr * self.inner_ratio(self._iter)
        seed, count = shared_seed(self.runner), self.num_train_domains
        if self._iter == 0:
            data_batch = self._take_extra_base_steps(data_batch)
        log = self.metabin_step(
            self.runner.model,
            data_batch,
            next(self.meta_iterator),
            optim_wrapper=self.runner.optim_wrapper,
            train_domains=split_domains(seed, self._iter, self.num_domains, count),
            inner_lr=inner_lr,
            gate_lr=self.gate_lr,
            loss_sets=self.loss_sets,
            straight_through=self.straight_through,
            second_order=self.second_order,
            meta_positions=positions_of(self._meta_sampler),
        )
        self._bad_layer = log.pop("meta_bad_layer")
        log |= gate_statistics(self._module.bin_layers())
        return log | {"inner_lr": inner_lr, "gate_lr": self.gate_lr}

    def check_outputs(self, outputs: Mapping[str, float]) -> None:
        """Stop where a loss or, with nothing left to scale down, a gate's gradient isn't finite."""
        skipped = outputs["meta_skipped"]
        # After a step that isn't finite these losses aren't either; the step is what to look at.
        kept = {k: v for k, v in outputs.items() if not (skipped and k.startswith("meta_test/"))}
        super().check_outputs(kept)
        scaler = getattr(self.runner.optim_wrapper, "loss_scaler", None)
        if skipped and (scaler is None or scaler.get_scale() < SMALLEST_SCALE):
            stop_for_gate(
                self._module, int(self._bad_layer), self._iter, what_is_left(self.runner.work_dir)
            )

    def _take_extra_base_steps(self, data_batch: dict) -> dict:
        """Spend all but one of the first iteration's base steps; return the batch of the last."""
        for _ in range(self.first_base_steps - 1):
            self.runner.model.train_step(data_batch, optim_wrapper=self.runner.optim_wrapper)
            data_batch = next(self.dataloader_iterator)
        return data_batch

    @staticmethod
    def metabin_step(
        model: nn.Module,
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
        """One base step and one gate update with everything given.

        Args:
            model: A :class:`ReIDModel`, or its ``MMDistributedDataParallel`` wrapper, in training
                mode.
            base_batch: ``inputs`` (images) and ``data_samples``, as a dataloader collates them.
            meta_batch: The same, with every domain in it.
            optim_wrapper: Optimiser of all weights but the gates.
            train_domains: Domains of the meta-train pass.
            inner_lr: Inner step size of the gates.
            gate_lr: Outer step size of the gates.
            loss_sets: See the class.
            straight_through: See the class.
            second_order: See the class.
            meta_positions: Of the meta batch's images in the batch of a single process, see
                :func:`mmreid_ext.distributed.rows_at`. Defaults to the order of the ranks.

        Returns:
            Loss terms, the base step's as MMEngine names them, ``meta_train/...`` and
            ``meta_test/...``, ``meta_skipped`` and ``meta_bad_layer``.

        Raises:
            ValueError: If the optimiser wrapper accumulates gradients, which has no meaning here.
        """
        refuse_accumulation(optim_wrapper)
        module = getattr(model, "module", model)
        loss_sets = resolve_loss_sets(loss_sets)
        module.head.train_losses = loss_sets.base
        # First, while the device has nothing to do: copying would wait for the base step.
        data = module.data_preprocessor(meta_batch, training=True)
        log = model.train_step(base_batch, optim_wrapper=optim_wrapper)
        scaler = getattr(optim_wrapper, "loss_scaler", None)
        with rows_at(meta_positions):
            meta_log = meta_update_gates(
                module,
                data["inputs"],
                data["data_samples"],
                train_domains=train_domains,
                inner_lr=inner_lr,
                gate_lr=gate_lr,
                loss_sets=loss_sets,
                straight_through=straight_through,
                second_order=second_order,
                forward_context=lambda: optim_wrapper.optim_context(module),
                loss_scale=1.0 if scaler is None else scaler.get_scale(),
            )
        if scaler is not None and meta_log["meta_skipped"]:
            _back_off(scaler)
        return {**log, **meta_log}


def _back_off(scaler) -> None:
    # The scaler hears of overflows in the base step only. At a scale that suits that step but not
    # the meta passes, the gates would never be updated again.
    factor = getattr(scaler, "get_backoff_factor", None)
    if factor is not None:
        scaler.update(scaler.get_scale() * factor())
