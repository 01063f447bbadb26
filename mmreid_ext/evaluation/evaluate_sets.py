"""Evaluate several test sets, each under its own protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmreid_ext.errors import UserError
from mmreid_ext.evaluation.retrieval.embedding_metrics import require_clustering_fits
from mmreid_ext.protocols import (
    EvaluationProtocol,
    ImageColumns,
    Labels,
    build_protocol,
    match_report,
)
from mmreid_ext.suggest import did_you_mean

from .embedding_set import EmbeddingSet
from .set_evaluation import NoValidQueryError, evaluate_set
from .set_result import SetResult

Protocols = Mapping[str | None, Any] | Mapping[str, Any]
"""Protocols by name of the test set; ``None`` as a name is for the sets not named."""


def evaluate_sets(
    images: EmbeddingSet,
    protocols: Protocols | None = None,
    *,
    pid_names: Mapping[str, Mapping[int, str]] | None = None,
    **options: Any,
) -> tuple[dict[str, SetResult], list[str]]:
    """Evaluate all test sets of ``images``.

    Args:
        images: Embeddings of one or several test sets.
        protocols: Protocol by name of the set, in any form that :func:`build_protocol` takes.
        pid_names: Names that the user gave to identities, by test set; for messages.
        **options: See :func:`evaluate_set`.

    Returns:
        Results by name of the set, in order of first appearance, and one message for every set
        that had to be left out because no query could be answered.

    Raises:
        NoValidQueryError: If that is so for all of them.
        ValueError: If a protocol and its images don't fit, or features on disk are too many for
            NMI.
    """
    built = built_protocols(protocols or {}, images.set_names())
    for name, protocol in built.items():
        if protocol.embedding_metrics:
            count = int((images.datasets == name).sum())
            require_clustering_fits(images.feats, count, protocol.nmi)
    results: dict[str, SetResult] = {}
    failures = []
    for name, test_set in images.by_dataset():
        try:
            named = (pid_names or {}).get(name)
            results[name] = evaluate_set(test_set, built[name], pid_names=named, **options)
        except NoValidQueryError as error:
            failures.append(str(error))
    if not results:
        raise NoValidQueryError("\n".join(failures) or "There was no image to evaluate.")
    return results, failures


def warnings_of(results: Mapping[str, SetResult], failures: Sequence[str]) -> list[str]:
    """List what a user must know beside the metrics, one message each.

    Args:
        results: Results by name of the set, from :func:`evaluate_sets`.
        failures: Its messages for sets that were left out.
    """
    texts = list(failures)
    for name, result in results.items():
        if result.unanswerable:
            texts.append(f"{name}: {result.unanswerable}")
        if result.unknown_cameras:
            texts.append(result.unknown_cameras)
    return texts


def check_sets(
    images: ImageColumns,
    protocols: Mapping[str, EvaluationProtocol],
    pid_names: Mapping[str, Mapping[int, str]] | None = None,
) -> None:
    """Check what :func:`evaluate_sets` would find, from what the images show alone.

    Args:
        images: Images of one or several test sets; they need no embeddings.
        protocols: Protocol of every set.
        pid_names: Names that the user gave to identities, by test set; for messages.

    Raises:
        NoValidQueryError: If no query of any set can be answered.
        ValueError: If a protocol and its images don't fit.
    """
    named = pid_names or {}
    reports = [
        match_report(Labels.of(table, protocols[name].matching_split(table)), name, named.get(name))
        for name, table in images.by_dataset()
    ]
    if all(report.is_total for report in reports):
        failures = "\n".join(report.text for report in reports)
        raise NoValidQueryError(failures or "There is no image to evaluate.")


def built_protocols(
    protocols: Protocols, set_names: Sequence[str]
) -> dict[str, EvaluationProtocol]:
    """Build the protocol of every test set before the first is used.

    Args:
        protocols: Protocol by name of the set, in any form that :func:`build_protocol` takes.
        set_names: Test sets that there are.

    Raises:
        ValueError: If a protocol is for a set that is not there, or can't be built.
    """
    for name in protocols:
        if name is not None and name not in set_names:
            raise UserError(
                f"A protocol is given for the test set {name!r}{did_you_mean(name, set_names)}, "
                f"but the test sets are {', '.join(map(repr, set_names))}."
            )
    specs: dict[str | None, Any] = {name: spec for name, spec in protocols.items()}
    return {name: build_protocol(specs.get(name, specs.get(None))) for name in set_names}


def protocol_overrides(protocols: Any) -> dict[str | None, Any]:
    """Sort overrides by name of the test set; ``None`` as a name is for all of them.

    Args:
        protocols: None, one protocol in any form that :func:`build_protocol` takes, or a dict of
            them by name of the set.
    """
    if protocols is None:
        return {}
    if isinstance(protocols, Mapping) and "type" not in protocols:
        return {name: protocols[name] for name in protocols}
    return {None: protocols}
