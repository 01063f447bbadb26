"""Evaluate inside MMEngine's loops."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import torch
from mmengine.dist import get_comm_device
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger

from mmreid_ext.distributed import agreed, is_distributed, is_main
from mmreid_ext.errors import UserTypeError
from mmreid_ext.evaluation.results.features_file import save_features
from mmreid_ext.evaluation.results.report import flat_metrics, format_tables
from mmreid_ext.output_files import require_writable
from mmreid_ext.protocols import EvaluationProtocol, ImageColumns, build_protocol
from mmreid_ext.registry import METRICS
from mmreid_ext.suggest import did_you_mean

from .embedding_set import EmbeddingSet
from .evaluate_sets import (
    built_protocols,
    check_sets,
    evaluate_sets,
    protocol_overrides,
    warnings_of,
)
from .gathered_images import GatheredImages, gather_images, image_metadata, require_entries
from .options import EvaluationOptions
from .pid_names import pid_names_by_set, pid_names_to_text
from .progress import PeriodicProgress
from .set_result import SetResult, metric_names
from .split_ranking import ranking_device


@METRICS.register_module()
class ReIDMetric(BaseMetric):
    """CMC, mAP and mINP of every test set in one run, in percent.

    One dataloader over the concatenated test sets is enough: each image says which set it belongs
    to and whether it is a query. Embeddings are gathered over ranks as tensors; images that the
    sampler repeated to even out the ranks are dropped by their index. Keys: ``<dataset>/mAP``,
    ``/mINP``, ``/R1``, ``/R5``, ``/R10``, ``/R20`` (the ranks of its protocol),
    ``<dataset>/rerank/mAP``, … and, over random splits, ``_std``. One table of all of them is
    logged at the end.

    Args:
        protocols: Overrides what the test sets announce in their
            ``metainfo['test_sets'][name]['protocol']``: one protocol for all, or a dict by name of
            the set. See :func:`mmreid_ext.protocols.build_protocol`.
        rerank: ``'auto'`` (on for sets under 100,000 images), None, or a dict with some of ``k1``,
            ``k2``, ``lambda_value``, see :func:`rerank_settings`. Defaults to ``'auto'``, in the
            validations of a training too; None saves their time.
        query_expansion: None, or a dict with some of ``num_neighbors``, ``alpha``, see
            :func:`expand_queries`.
        open_set: None, True or settings of :func:`check_open_set`: figures with strangers, too.
        distance: ``'cosine'`` or ``'euclidean'``.
        max_rank: Length of the CMC curve kept in :attr:`last_results`.
        save_features: Also write the embeddings to this ``.npz`` file.
        collect_device: Kept for MMEngine's sake: tensors are gathered on the device of the backend.
        prefix: Put before every key; empty by default.
        **unknown: Refused.

    Raises:
        ValueError: If a setting is unknown or can't be used. Nothing is left for the first
            evaluation to find: names of test sets are compared with the data set's as soon as the
            loop has given its ``metainfo``.

    Attributes:
        last_results: :class:`SetResult` by name of the test set, after :meth:`evaluate`.
        last_embeddings: All embeddings of the last evaluation, on the CPU; None before.

    Example:
        >>> val_evaluator = dict(type='mmreid_ext.ReIDMetric', rerank='auto',
        protocols=dict(mine='no_camera'))
    """

    def __init__(
        self,
        protocols: Any = None,
        rerank: str | Mapping[str, Any] | None = EvaluationOptions.rerank,
        query_expansion: Mapping[str, Any] | None = EvaluationOptions.query_expansion,
        distance: str = EvaluationOptions.distance,
        max_rank: int = EvaluationOptions.max_rank,
        save_features: str | None = None,
        open_set: Mapping[str, Any] | bool | None = EvaluationOptions.open_set,
        collect_device: str = "cpu",
        prefix: str | None = None,
        **unknown: Any,
    ) -> None:
        _refuse_unknown(unknown)
        self.overrides = protocol_overrides(protocols)
        options = EvaluationOptions(distance, max_rank, rerank, query_expansion, open_set)
        options.check_protocols([build_protocol(spec) for spec in self.overrides.values()])
        require_writable(save_features, "ReIDMetric: save_features")
        # A prefix here only silences MMEngine's warning.
        super().__init__(collect_device, prefix="reid")
        self.prefix: str | None = prefix
        self.protocols = protocols
        self.rerank = rerank
        self.query_expansion = query_expansion
        self.open_set = open_set
        self.distance = distance
        self.max_rank = max_rank
        self.save_features = save_features
        self.feature_notes: dict[str, str] = {}  # kept with saved features: the checkpoint, …
        self.last_results: dict[str, SetResult] = {}
        self.last_embeddings: EmbeddingSet | None = None

    @property
    def options(self) -> EvaluationOptions:
        """The settings of the ranking, checked."""
        return EvaluationOptions(
            **{f.name: getattr(self, f.name) for f in fields(EvaluationOptions)}
        )

    @property
    def dataset_meta(self) -> dict | None:
        """Metadata of the data set, set by MMEngine's loops when they are built."""
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, dataset_meta: dict | None) -> None:
        self._dataset_meta = dataset_meta
        if announced := self._announced():
            self.options.check_protocols(self.protocols_of(list(announced)).values())

    def _announced(self) -> dict[str, dict[str, Any]]:
        """Return what the readers announce about each test set."""
        return (self.dataset_meta or {}).get("test_sets", {})

    def protocols_of(self, set_names: Sequence[str]) -> dict[str, EvaluationProtocol]:
        """Return the protocol of every test set: the override, else what the set announces.

        Raises:
            ValueError: If an override is for a set that is not there, or one can't be built.
        """
        announced = self._announced()
        specs: dict[str | None, Any] = {
            name: announced.get(name, {}).get("protocol") for name in set_names
        }
        if None in self.overrides:
            specs = dict.fromkeys(specs, self.overrides[None])
        return built_protocols(specs | self.overrides, list(set_names))

    def metric_keys(self) -> list[str] | None:
        """List the keys that :meth:`evaluate` may return; None where the data set tells no sets."""
        if not (announced := self._announced()):
            return None
        keys = []
        for name, protocol in self.protocols_of(list(announced)).items():
            own = metric_names(protocol, self.rerank is not None, bool(self.open_set))
            keys += [f"{name}/{key}" for key in own]
        return [f"{self.prefix}/{key}" if self.prefix else key for key in keys]

    def check_images(self, images: ImageColumns) -> None:
        """Check, before features are extracted, that the test sets can be evaluated.

        Raises:
            ValueError: If a protocol doesn't fit its set, or no query of any set has a match.
        """
        protocols, named = (
            self.protocols_of(images.set_names()),
            pid_names_by_set(self.dataset_meta),
        )
        check_sets(images, protocols, named)

    def process(self, data_batch: Any, data_samples: Sequence[Mapping[str, Any]]) -> None:
        """Keep the embedding of every image, on the CPU, and what the image shows.

        Args:
            data_batch: Not used.
            data_samples: One mapping per image, with ``pred_embedding`` (D,), ``pid``, ``camid``,
                ``role``, ``dataset``, ``sample_idx`` and, where known, ``img_path``.
        """
        require_entries(data_samples)
        if data_samples:
            # one transfer for the batch, not one per image
            feats = torch.stack([sample["pred_embedding"].detach() for sample in data_samples])
            metadata = [image_metadata(sample) for sample in data_samples]
            self.results.append((feats.to("cpu", torch.float32), metadata))

    def evaluate(self, size: int) -> dict[str, float]:
        """Gather over ranks and evaluate every test set; each rank ranks a share of its queries.

        Args:
            size: Images in the dataset; exactly that many distinct ones must have been seen.

        Returns:
            Percent by key, the same on every rank.

        Raises:
            ValueError: On every rank alike: images are missing, or no query can be answered.
        """
        gathered = gather_images(self.results, get_comm_device())
        self.results.clear()
        # Every rank holds everything and takes the same path, so an error is raised on all of them.
        metrics = self._compute(gathered, size)
        return {f"{self.prefix}/{k}" if self.prefix else k: v for k, v in metrics.items()}

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Unused: :meth:`evaluate` gathers and computes in one step."""
        raise NotImplementedError("ReIDMetric.evaluate gathers and computes in one step.")

    def _compute(self, gathered: GatheredImages, size: int) -> dict[str, float]:
        images = gathered.without_padding(size, self._announced())
        images.mark_distractors(self._announced())
        protocols = self.protocols_of(images.set_names())
        self.last_embeddings = images
        with agreed("writing features"):  # these may be gigabytes
            if self.save_features and is_main():
                self._save(self.save_features, images, protocols)
        logger = MMLogger.get_current_instance()
        self.last_results, failures = evaluate_sets(
            images,
            protocols,
            pid_names=pid_names_by_set(self.dataset_meta),
            **vars(self.options),
            device=ranking_device(),
            distributed=is_distributed(),
            progress=PeriodicProgress(logger.info),
        )
        for text in warnings_of(self.last_results, failures):
            logger.warning(text)
        logger.info("\n%s", format_tables(self.last_results))
        return flat_metrics(self.last_results)

    def _save(
        self, path: str, images: EmbeddingSet, protocols: Mapping[str, EvaluationProtocol]
    ) -> None:
        specs = json.dumps({name: protocol.describe() for name, protocol in protocols.items()})
        notes = dict(self.feature_notes, protocols=specs)
        if named := pid_names_by_set(self.dataset_meta):
            notes["pid_names"] = pid_names_to_text(named)
        save_features(path, images, **notes)


def _refuse_unknown(settings: Mapping[str, Any]) -> None:
    known = [name for name in inspect.signature(ReIDMetric).parameters if name != "unknown"]
    for name in settings:
        raise UserTypeError(
            f"ReIDMetric has no setting {name!r}{did_you_mean(name, known)}; it has "
            f"{', '.join(known)}."
        )
