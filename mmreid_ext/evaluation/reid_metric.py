"""The evaluation inside MMEngine's loops."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.dist import get_comm_device
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger

from mmreid_ext.distributed import gather_rows, is_distributed, is_main
from mmreid_ext.errors import UserError
from mmreid_ext.protocols import build_protocol
from mmreid_ext.protocols.image_table import ROLES
from mmreid_ext.registry import METRICS

from .embedding_set import EmbeddingSet
from .evaluate_sets import evaluate_sets
from .features_file import save_features
from .pid_names import pid_names_by_set, pid_names_to_text
from .progress import PeriodicProgress
from .report import flat_metrics, format_table
from .set_evaluation import SetResult

_NEEDED = ("pred_embedding", "pid", "camid", "role", "dataset", "sample_idx")


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
            the set. See :func:`mmreid_ext.evaluation.build_protocol`.
        rerank: None, ``'auto'`` (on for sets under 100,000 images) or ``dict(k1=20, k2=6,
            lambda_value=0.3)``.
        query_expansion: None or ``dict(num_neighbors=5, alpha=0.0)``, see :func:`expand_queries`.
        distance: ``'cosine'`` or ``'euclidean'``.
        max_rank: Length of the CMC curve kept in :attr:`last_results`.
        save_features: Also write the embeddings to this ``.npz`` file.
        collect_device: Kept for MMEngine's sake: tensors are gathered on the device of the backend.
        prefix: Put before every key; empty by default.

    Attributes:
        last_results: :class:`SetResult` by name of the test set, after :meth:`evaluate`.
        last_embeddings: All embeddings of the last evaluation, on the CPU; None before.

    Example:
        >>> val_evaluator = dict(type='mmreid_ext.ReIDMetric', rerank='auto',
        protocols=dict(mine='no_camera'))
    """

    def __init__(
        self,
        protocols: str | Mapping[str, Any] | None = None,
        rerank: str | Mapping[str, Any] | None = None,
        query_expansion: Mapping[str, Any] | None = None,
        distance: str = "cosine",
        max_rank: int = 50,
        save_features: str | None = None,
        collect_device: str = "cpu",
        prefix: str | None = None,
    ) -> None:
        super().__init__(
            collect_device, prefix="reid"
        )  # a name here only silences MMEngine's warning
        self.prefix = prefix
        self.protocols = protocols
        self.rerank = rerank
        self.query_expansion = query_expansion
        self.distance = distance
        self.max_rank = max_rank
        self.save_features = save_features
        self.feature_notes: dict[str, str] = {}  # kept with saved features: the checkpoint, …
        self.last_results: dict[str, SetResult] = {}
        self.last_embeddings: EmbeddingSet | None = None

    def process(self, data_batch: Any, data_samples: Sequence[Mapping[str, Any]]) -> None:
        """Keep the embedding of every image, on the CPU, and what the image shows.

        Args:
            data_batch: Not used.
            data_samples: One mapping per image, with ``pred_embedding`` (D,), ``pid``, ``camid``,
                ``role``, ``dataset``, ``sample_idx`` and, where known, ``img_path``.
        """
        for sample in data_samples:
            missing = [key for key in _NEEDED if key not in sample]
            if missing:
                raise UserError(
                    f"ReIDMetric needs {missing} in every sample, got {sorted(sample)}. "
                    "Embeddings come from "
                    "ReIDModel, the rest from PackInputs(meta_keys=('sample_idx', 'img_path', "
                    "'pid', 'camid', "
                    "'domain', 'role', 'dataset'))."
                )
        if data_samples:
            # one transfer for the batch, not one per image
            feats = torch.stack([sample["pred_embedding"].detach() for sample in data_samples])
            self.results.append((feats.to("cpu", torch.float32), [_facts(s) for s in data_samples]))

    def evaluate(self, size: int) -> dict[str, float]:
        """Gather over ranks and evaluate every test set; each rank ranks a share of its queries.

        Args:
            size: Images in the dataset; exactly that many distinct ones must have been seen.

        Returns:
            Percent by key, the same on every rank.

        Raises:
            ValueError: On every rank alike: images are missing, or no query can be answered.
        """
        gathered = self._gather()
        self.results.clear()
        # Every rank holds everything and takes the same path, so an error is raised on all of them.
        metrics = self._compute(gathered, size)
        return {f"{self.prefix}/{k}" if self.prefix else k: v for k, v in metrics.items()}

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Not part of the way through this class, which gathers tensors itself."""
        raise NotImplementedError("ReIDMetric.evaluate gathers and computes in one go.")

    def _compute(self, gathered: dict[str, Any], size: int) -> dict[str, float]:
        announced = (self.dataset_meta or {}).get("test_sets", {})
        images = _without_padding(gathered, size, announced)
        protocols = {name: build_protocol(self._protocol_of(name)) for name in images.set_names()}
        self.last_embeddings = images
        if self.save_features and is_main():
            specs = {name: protocol.describe() for name, protocol in protocols.items()}
            notes = dict(self.feature_notes, protocols=json.dumps(specs))
            named = pid_names_by_set(self.dataset_meta)
            if named:
                notes["pid_names"] = pid_names_to_text(named)
            save_features(self.save_features, images, **notes)
        logger = MMLogger.get_current_instance()
        self.last_results, failures = evaluate_sets(
            images,
            protocols,
            distance=self.distance,
            max_rank=self.max_rank,
            rerank=self.rerank,
            query_expansion=self.query_expansion,
            device=_ranking_device(),
            distributed=is_distributed(),
            progress=PeriodicProgress(logger.info),
        )
        for failure in failures:
            logger.warning(failure)
        for name, result in self.last_results.items():
            if result.unanswerable:
                logger.warning("%s: %s", name, result.unanswerable)
        logger.info("\n%s", format_table(self.last_results))
        return flat_metrics(self.last_results)

    def _protocol_of(self, name: str) -> Any:
        if isinstance(self.protocols, str):
            return self.protocols
        override = self.protocols or {}
        if "type" in override:
            return override
        announced = (self.dataset_meta or {}).get("test_sets", {}).get(name, {})
        return override.get(name, announced.get("protocol"))

    def _gather(self) -> dict[str, Any]:
        """All ranks' rows: features, the integer columns, and the two string columns."""
        device = get_comm_device()
        feats = [batch for batch, _ in self.results]
        facts = [fact for _, batch in self.results for fact in batch]
        width = gather_rows(torch.tensor([feats[0].shape[1] if feats else 0], device=device)).max()
        local = torch.cat(feats) if feats else torch.zeros(0, int(width))
        numbers = torch.tensor([fact[0] for fact in facts], dtype=torch.int64).reshape(-1, 4)
        return {
            "feats": gather_rows(local.to(device)).cpu(),
            "numbers": gather_rows(numbers.to(device)).cpu().numpy(),
            "datasets": _gather_strings([fact[1] for fact in facts], device),
            "names": _gather_strings([fact[2] for fact in facts], device),
        }


def _ranking_device() -> torch.device:
    """Where ranks can exchange tensors; on one rank, the accelerator if there is one."""
    if is_distributed():
        return get_comm_device()
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _facts(sample: Mapping[str, Any]) -> tuple[list[int], str, str]:
    role = sample["role"]
    if role not in ROLES:
        raise UserError(
            f"role must be 'query' or 'gallery' at test time, got {role!r} for "
            f"{sample.get('img_path')}."
        )
    numbers = [int(sample[key]) for key in ("sample_idx", "pid", "camid")]
    return [*numbers, ROLES.index(role)], str(sample["dataset"]), str(sample.get("img_path", ""))


def _gather_strings(strings: Sequence[str], device: torch.device) -> np.ndarray:
    """Strings of all ranks in rank order, sent as bytes: nothing is pickled."""
    encoded = [text.encode("utf-8", "surrogateescape") for text in strings]
    data = np.frombuffer(b"".join(encoded), dtype=np.uint8).copy()
    lengths = torch.tensor([len(item) for item in encoded], dtype=torch.int64)
    lengths = gather_rows(lengths.to(device)).cpu().numpy()
    joined = gather_rows(torch.from_numpy(data).to(device)).cpu().numpy().tobytes()
    ends = np.cumsum(lengths)
    return np.array(
        [
            joined[e - n : e].decode("utf-8", "surrogateescape")
            for e, n in zip(ends, lengths, strict=True)
        ],
        dtype=np.str_,
    )


def _without_padding(gathered: Mapping[str, Any], size: int, order: Iterable[str]) -> EmbeddingSet:
    """Order by test set and index, keep one of each; check that nothing is missing."""
    index, pids, camids, roles = gathered["numbers"].T
    datasets, names = gathered["datasets"], gathered["names"]
    # The index is unique within a dataset object; query and gallery may be two objects of one name.
    place = {name: i for i, name in enumerate(dict.fromkeys([*order, *datasets.tolist()]))}
    codes = np.array([place[name] for name in datasets.tolist()], dtype=np.int64)
    keys = np.stack([codes, roles, index], axis=1).reshape(-1, 3)
    _, rows = np.unique(keys, axis=0, return_index=True)
    if len(rows) != size:
        raise UserError(
            f"Evaluated {len(rows)} distinct images of {len(index)} processed, but the dataset "
            f"has {size}. "
            + (
                "Some were never processed: test with "
                "`DefaultSampler(shuffle=False, round_up=True)` and `drop_last=False`."
                if len(rows) < size
                else "`sample_idx` must number the images of a test set."
            )
        )
    images = EmbeddingSet(gathered["feats"], pids, camids, np.array(ROLES)[roles], datasets, names)
    return images.take(rows)
