"""Find pictures and people that two data sets share and must not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mmreid_ext.datasets.record_dataset import RecordDataset
from mmreid_ext.shorten import shorten

from .image_files import locate


def shared_pictures(
    files_by_source: Mapping[str, Sequence[str]],
    keys_of: Callable[[Sequence[str]], Sequence[str]] = list,
) -> list[str]:
    """Say which training sources share pictures; a classifier would be told to tell them apart.

    Args:
        files_by_source: Real paths of the pictures, by name of the source.
        keys_of: From paths to texts that are equal for equal pictures. Defaults to the paths.
    """
    first: dict[str, str] = {}
    shared: dict[tuple[str, str], list[str]] = defaultdict(list)
    for source, files in files_by_source.items():
        for key, file in dict(zip(keys_of(files), files, strict=True)).items():
            other = first.setdefault(key, source)
            if other != source:
                shared[other, source].append(file)
    return [
        f"sources {a!r} and {b!r} share {len(files)} images ({shorten(files)}): the same people "
        "would be trained as different ones. Take one of the sources out."
        for (a, b), files in shared.items()
    ]


def known_to_share(one: Any, other: Any) -> str | None:
    """Return how a benchmark says that it shows the people of another, or None."""
    return getattr(one, "overlapping", {}).get(getattr(other, "title", None))


def trained_on_messages(train: RecordDataset, test: RecordDataset) -> list[str]:
    """Say which of the images and people of a test set are trained on.

    Images are compared by their real paths.

    Args:
        train: Training set.
        test: Test set.
    """
    messages = []
    trained = {file for file in locate(train.image_paths()) if file}
    seen = [file for file in locate(test.image_paths()) if file in trained]
    if seen:
        messages.append(
            f"{len(set(seen))} images of the test set {test.name!r} are trained on, by "
            f"{train.name!r}: {shorten(list(dict.fromkeys(seen)))}. A network remembers them, so "
            "the score says nothing about unseen people. Leave out combine_all, or test on "
            "another set."
        )
    for one in getattr(train, "sources", [train]):
        for other in getattr(test, "sources", [test]):
            known = known_to_share(one, other) or known_to_share(other, one)
            if known:
                messages.append(
                    f"The training set {one.name!r} and the test set {other.name!r} share people "
                    f"({known}); scores on people who were trained on are higher than on unseen "
                    "people."
                )
    return messages
