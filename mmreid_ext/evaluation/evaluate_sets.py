"""Evaluate several test sets, each under its own protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .embedding_set import EmbeddingSet
from .set_evaluation import NoValidQueryError, SetResult, evaluate_set


def evaluate_sets(
    images: EmbeddingSet, protocols: Mapping[str | None, Any] | None = None, **options: Any
) -> tuple[dict[str, SetResult], list[str]]:
    """Evaluate all test sets of ``images``.

    Args:
        images: Embeddings of one or several test sets.
        protocols: Protocol by name of the set; ``None`` as a name is for the sets not named.
        **options: See :func:`evaluate_set`.

    Returns:
        Results by name of the set, in order of first appearance, and one message for every set
        that had to be left out because no query could be answered.

    Raises:
        NoValidQueryError: If that is so for all of them.
        ValueError: If a protocol and its images don't fit.
    """
    protocols = protocols or {}
    results, failures = {}, []
    for name, test_set in images.by_dataset():
        try:
            protocol = protocols.get(name, protocols.get(None))
            results[name] = evaluate_set(test_set, protocol, **options)
        except NoValidQueryError as error:
            failures.append(str(error))
    if not results:
        raise NoValidQueryError("\n".join(failures) or "There was no image to evaluate.")
    return results, failures
