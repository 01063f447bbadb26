"""Find pictures and people that two data sets share and must not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from mmreid_ext.datasets.record_dataset import RecordDataset
from mmreid_ext.shorten import several, shorten


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


def trained_on_messages(
    train: RecordDataset,
    test: RecordDataset,
    trained: Collection[str | None],
    files: Sequence[str | None],
) -> list[str]:
    """Say which of the images and people of a test set are trained on.

    Args:
        train: Training set.
        test: Test set.
        trained: Real paths of the training images, see :func:`~.image_files.locate`.
        files: Real path of every test image, None where there is no such file.
    """
    messages = []
    seen = [file for file in files if file and file in trained]
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
    used = [
        {part.get_data_info(row).get("pid_name") for row in range(len(part))}
        for part in (one, other)
    ]
    shared = sorted((used[0] & used[1]) - {None})
    if not shared:
        return []
    names = several(len(shared), "name")
    return [
        f"{names} of the training set {one.name!r} and of the test set {other.name!r} are alike: "
        f"{shorten(shared)}. If they are the same people, scores are higher than on unseen people; "
        "split by identity."
    ]
