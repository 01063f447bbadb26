"""Average retrieval scores over splits and trials."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from mmreid_ext.evaluation.retrieval.result import RetrievalResult
from mmreid_ext.protocols import EvaluationProtocol, Split


@dataclass
class Scores:
    """Scores of one way of ranking, as fractions.

    Args:
        mAP: Mean over trials of the mean average precision over valid queries.
        mINP: The same for inverse negative penalty.
        cmc: The same for the CMC, shape (max_rank,).
        std: Population standard deviation over trials of ``mAP``, ``mINP`` and each ``R{k}``; empty
            where the protocol has a single trial.
        rows: Rows of the test set that were queries, ascending, shape (Q,).
        ap: AP of those queries, shape (Q,): mean over the trials where the query had a match, else
            NaN. A trial of fewer valid queries counts for more.
        top1: Share of those trials whose first answer was right, shape (Q,), NaN likewise.
        weights: How much each query counts, shape (Q,), summing to 1: ``mAP`` is the mean of ``ap``
            with these weights, ``cmc[0]`` that of ``top1``. Zero for queries without a match.
        ranks: The k of the reported R@k.
        tpr_at_fpr: True positive rate by false positive rate over all pairs, mean over splits.
        roc: False and true positive rates of the whole curve, shape (2, n), mean over splits.
        threshold_at_fpr: Lowest accepted similarity by false positive rate, mean over splits; NaN
            where a split has too few negative pairs.
        num_negatives: Negative pairs of the split that has fewest.
    """

    mAP: float
    mINP: float
    cmc: np.ndarray
    std: dict[str, float]
    rows: np.ndarray
    ap: np.ndarray
    top1: np.ndarray
    weights: np.ndarray
    ranks: tuple[int, ...]
    tpr_at_fpr: dict[float, float]
    roc: np.ndarray
    threshold_at_fpr: dict[float, float] = field(default_factory=dict)
    num_negatives: int = 0

    @property
    def num_valid_queries(self) -> int:
        """Queries that had a match in at least one trial."""
        return int(np.isfinite(self.ap).sum())

    def percent(self) -> dict[str, float]:
        """``mAP``, ``mINP``, ``R{k}`` in percent, each with a ``_std`` where there is one."""
        values = {"mAP": self.mAP, "mINP": self.mINP}
        values |= {f"R{k}": float(self.cmc[k - 1]) for k in self.ranks}
        values |= {f"{key}_std": value for key, value in self.std.items()}
        return {key: 100.0 * value for key, value in values.items()}


def _means(splits: list[dict[float, float]]) -> dict[float, float]:
    return {fpr: float(np.mean([found[fpr] for found in splits])) for fpr in splits[0]}


class TrialAverager:
    """Collect the results of splits; :meth:`scores` pools those of a trial, then averages trials.

    Args:
        protocol: Gives the reported ranks, and whether trials are random.
        max_rank: Length of the CMC.
    """

    def __init__(self, protocol: EvaluationProtocol, max_rank: int) -> None:
        self.ranks = protocol.ranks
        self.random = protocol.random
        self.max_rank = max_rank
        self._trials: dict[int, list[np.ndarray]] = defaultdict(list)  # rows: AP, INP, first hit
        self._queries: list[np.ndarray] = []
        self._results: list[RetrievalResult] = []

    def add(self, split: Split, result: RetrievalResult) -> None:
        """Add the result of one split."""
        first = np.where(np.isfinite(result.ap), result.first_hit, np.nan)
        self._trials[split.trial].append(np.stack([result.ap, result.inp, first]))
        self._queries.append(split.query)
        self._results.append(result)

    def scores(self) -> Scores:
        """Return mean and deviation over trials, and per-query means."""
        trials = [self._pool(np.concatenate(parts, axis=1)) for parts in self._trials.values()]
        mean = {key: np.mean([trial[key] for trial in trials], axis=0) for key in trials[0]}
        spread = {key: np.std([trial[key] for trial in trials], axis=0) for key in trials[0]}
        std = {"mAP": float(spread["mAP"]), "mINP": float(spread["mINP"])}
        std |= {f"R{k}": float(spread["cmc"][k - 1]) for k in self.ranks}
        return Scores(
            float(mean["mAP"]),
            float(mean["mINP"]),
            mean["cmc"],
            std if self.random else {},
            *self._per_query(),
            self.ranks,
            _means([result.tpr_at_fpr for result in self._results]),
            np.mean([result.roc for result in self._results], axis=0),
            _means([result.threshold_at_fpr for result in self._results]),
            min(result.num_negatives for result in self._results),
        )

    def _pool(self, queries: np.ndarray) -> dict[str, np.ndarray]:
        """Means over the valid queries of one trial."""
        ap, inp, first = queries[:, np.isfinite(queries[0])]
        cmc = (first[:, None] <= np.arange(1, self.max_rank + 1)).mean(axis=0)
        return {"mAP": ap.mean(), "mINP": inp.mean(), "cmc": cmc}

    def _per_query(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Rows of the queries, their mean AP and top-1 over the trials, and their weights."""
        rows, place = np.unique(np.concatenate(self._queries), return_inverse=True)
        trials = [np.concatenate(parts, axis=1) for parts in self._trials.values()]
        ap, _, first = np.concatenate(trials, axis=1)
        valid = np.isfinite(ap)
        # A score is a mean over trials of means over a trial's valid queries. So one answer adds
        # 1 / (trials * valid queries of its trial).
        counts = [np.isfinite(trial[0]).sum() for trial in trials]
        share = np.repeat(1 / (len(trials) * np.array(counts)), [t.shape[1] for t in trials])
        weights = np.bincount(place[valid], share[valid], minlength=len(rows))
        means = []
        for values in (ap, first == 1):
            total = np.bincount(place[valid], (share * values)[valid], minlength=len(rows))
            means.append(
                np.divide(total, weights, out=np.full(len(rows), np.nan), where=weights > 0)
            )
        return rows, means[0], means[1], weights
