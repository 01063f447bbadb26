"""Keep the thresholds that a test found with the tested checkpoint."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping

from mmengine.logging import print_log
from torch import nn

from mmreid_ext.checkpoint.safe_load import read_meta
from mmreid_ext.checkpoint.usage import (
    COARSE_FPR,
    STORED_FPRS,
    Threshold,
    recorded,
    store_thresholds,
)
from mmreid_ext.evaluation.reid_metric import ReIDMetric
from mmreid_ext.evaluation.set_result import SetResult


def keep_thresholds(
    checkpoint: str | os.PathLike, metric: ReIDMetric, model: nn.Module
) -> list[Threshold]:
    """Keep similarities at false positive rates with the checkpoint that was tested.

    They are kept if they are of plain cosine similarities and of the checkpoint's own use of the
    mirrored image. Otherwise the log says why not.

    Args:
        checkpoint: The tested file.
        metric: It has evaluated.
        model: The tested model.

    Returns:
        What is kept; empty if nothing is.
    """
    reason = _why_not(checkpoint, metric, getattr(model, "module", model))
    thresholds = found_thresholds(metric.last_results)
    if not reason and thresholds:
        try:
            store_thresholds(checkpoint, thresholds)
        except OSError as error:
            reason = f"the file can't be written ({error})"
    if reason:
        text = f"Thresholds of this test are not kept with {os.fspath(checkpoint)}: {reason}."
        print_log(text, logger="current", level=logging.WARNING)
        return []
    return thresholds


def found_thresholds(results: Mapping[str, SetResult]) -> list[Threshold]:
    """Return the thresholds of all test sets at the rates that are kept."""
    return [one for result in results.values() for one in _of_test_set(result)]


def _of_test_set(result: SetResult) -> Iterator[Threshold]:
    points = [Threshold(**point) for point in result.operating_points()]
    stored = [point for point in points if point.fpr in STORED_FPRS]
    if all(point.similarity is None for point in stored):
        yield from (point for point in points if point.fpr == COARSE_FPR)
    yield from stored


def _why_not(checkpoint: str | os.PathLike, metric: ReIDMetric, model: nn.Module) -> str:
    record = recorded({"meta": read_meta(checkpoint)})
    if record is None:
        return "it holds no record of its use (mmreid_ext.DeploymentInfoHook writes it)"
    if metric.distance != "cosine":
        return f"distance={metric.distance!r}, they are cosine similarities"
    if metric.query_expansion is not None:
        return "queries were expanded, applications compare single images"
    flip, tested = (record.get("embedding") or {}).get("flip_test"), getattr(model, "flip_test", 0)
    if bool(flip) != bool(tested):
        return f"flip_test={bool(tested)} in this test, {bool(flip)} in the record"
    return ""
