"""Find pictures and people that two data sets share and must not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from mmreid_ext.datasets.record_dataset import RecordDataset
from mmreid_ext.datasets.records import pid_names
from mmreid_ext.shorten import several, shorten

from .located import Located


def shared_pictures(files_by_source: Mapping[str, Located]) -> list[str]:
    """Say which training sources share pictures; a classifier would be told to tell them apart.

    Args:
        files_by_source: Where the pictures are, by name of the source.
    """
    shared: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    sources = list(files_by_source.items())
    for number, (source, files) in enumerate(sources):
        seen: set[str] = set()
        for other, theirs in sources[:number]:
            alike = [(row, key) for row, key in files.shared_with([theirs]) if key not in seen]
            for row, key in alike:
                shared[other, source][key] = files.file(row)
            seen.update(key for _, key in alike)
    return [
        f"sources {a!r} and {b!r} share {len(found)} images ({shorten(list(found.values()))}): the "
        "same people would be trained as different ones. Take one of the sources out."
        for (a, b), found in shared.items()
    ]


def known_to_share(one: Any, other: Any) -> str | None:
    """Return how a benchmark says that it shows the people of another, or None."""
    return getattr(one, "overlapping", {}).get(getattr(other, "title", None))


def trained_on_messages(
    train: RecordDataset, test: RecordDataset, trained: Located, files: Located
) -> list[str]:
    """Say which of the images and people of a test set are trained on.

    Args:
        train: Training set.
        test: Test set.
        trained: Where the training images are.
        files: Where the test images are.
    """
    messages = []
    seen = list(dict.fromkeys(key for _, key in files.shared_with([trained])))
    if seen:
        messages.append(
            f"{len(seen)} images of the test set {test.name!r} are trained on, by "
            f"{train.name!r}: {shorten(seen)}. A network remembers them, so "
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
            messages += same_names_message(one, other)
    return messages


def same_names_message(one: Any, other: Any) -> list[str]:
    """Say which names of people stand in two lists, one trained on, the other tested.

    Numbers are no evidence: each list may begin from 1 again. The parts of one list are compared by
    its reader.
    """
    announced = [set(part.metainfo.get("pid_names", {}).values()) for part in (one, other)]
    same_list = getattr(one, "csv_file", 0) == getattr(other, "csv_file", 1)
    if same_list or not announced[0] & announced[1]:
        return []
    used = [set(pid_names(part.table).values()) for part in (one, other)]
    shared = sorted(used[0] & used[1])
    if not shared:
        return []
    names = several(len(shared), "name")
    return [
        f"{names} of the training set {one.name!r} and of the test set {other.name!r} are alike: "
        f"{shorten(shared)}. If they are the same people, scores are higher than on unseen people; "
        "split by identity."
    ]
