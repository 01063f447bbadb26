"""Arguments of the tools that read saved embeddings."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterable, Sequence

from mmreid_ext.errors import UserError
from mmreid_ext.suggest import did_you_mean


def add_features_argument(parser: ArgumentParser, nargs: str | None = None) -> None:
    """Add the file of embeddings; ``nargs='+'``: several of them."""
    parser.add_argument(
        "features",
        nargs=nargs,
        help=".npz file, or folder NAME.features, "
        "written by tools/test.py --save-features or tools/embed.py",
    )


def add_dataset_argument(parser: ArgumentParser) -> None:
    """Add ``--dataset``, the test sets to take from the file."""
    parser.add_argument("--dataset", nargs="+", help="test sets to take (default: all)")


def asked_sets(asked: Sequence[str] | None, held: Iterable[str], file: str) -> list[str]:
    """Return the test sets that ``--dataset`` names, without it all that the file holds.

    Args:
        asked: Value of ``--dataset``.
        held: Test sets of the file.
        file: Its name, for the message.

    Raises:
        UserError: If the file lacks one of them.
    """
    held = list(dict.fromkeys(held))
    for name in asked or ():
        if name not in held:
            raise UserError(
                f"--dataset {name}: {file} has no such test set{did_you_mean(name, held)}; "
                f"it holds {', '.join(held)}."
            )
    return list(asked or held)
