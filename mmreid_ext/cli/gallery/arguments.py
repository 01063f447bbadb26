"""Arguments of `tools/gallery.py`, and what they ask for; loads nothing heavy."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from mmreid_ext.errors import UserError

from .listing import FOLDERS, Entry, labelled, list_entries
from .moments import moment_of, of_camera, of_file


def model_arguments(parser: argparse.ArgumentParser, required: bool = False) -> None:
    """Add the options that say which model a command uses."""
    parser.add_argument(
        "--model", required=required, help="model.onnx, model.xml, or a checkpoint (with PyTorch)"
    )
    parser.add_argument("--config", help="of a checkpoint that doesn't hold its configuration")
    parser.add_argument("--device", help="of a checkpoint: where to compute")
    parser.add_argument(
        "--batch-size", type=int, default=64, help="pictures of a forward pass (default: 64)"
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `add` to its parser."""
    parser.add_argument(
        "pictures", metavar="PICTURES", help="folder, picture, .csv with a column 'path', or .npz"
    )
    model_arguments(parser)
    parser.add_argument("--identity", metavar="NAME", help="who is on all of them")
    parser.add_argument(
        "--folders", choices=tuple(FOLDERS), help="what the folders inside the folder stand for"
    )
    parser.add_argument(
        "--identity-from-folder",
        action="store_const",
        const="person",
        dest="folders",
        help="one folder per person, the same as --folders person",
    )
    parser.add_argument("--camera", metavar="NAME", help="which camera took them")
    time = parser.add_mutually_exclusive_group()
    time.add_argument("--time", metavar="WHEN", help="when, as 2026-11-26T14:30 (default: unknown)")
    time.add_argument(
        "--time-from", choices=("exif", "file"), help="what the camera wrote, or the file's date"
    )
    parser.add_argument("--thumbnails", action="store_true", help="keep a small JPEG of each")
    parser.add_argument(
        "--threads",
        type=int,
        default=min(4, os.cpu_count() or 1),
        help="threads that decode (default: %(default)s)",
    )


def search_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `search` to its parser."""
    parser.add_argument("queries", nargs="+", metavar="QUERY", help="pictures or folders")
    model_arguments(parser, required=True)
    parser.add_argument("--top", type=int, default=10, help="length of the lists (default: 10)")
    parser.add_argument("--camera", nargs="+", metavar="NAME", help="only these cameras")
    parser.add_argument("--not-camera", nargs="+", metavar="NAME", help="none of these cameras")
    parser.add_argument("--identity", nargs="+", metavar="NAME", help="only these people")
    parser.add_argument("--since", metavar="WHEN", help="not before, as 2026-11-26T14:30")
    parser.add_argument("--until", metavar="WHEN", help="before, and not at, this moment")
    parser.add_argument(
        "--rerank", action="store_true", help="sort the best 100 by k-reciprocal re-ranking"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the lists as JSON")


def entries_of(args: argparse.Namespace) -> list[Entry]:
    """List the pictures that `add` was given, with what its options say about them."""
    _require_positive(args, "batch_size", "threads")
    for option in ("identity", "camera"):
        if getattr(args, option) is not None and not getattr(args, option).strip():
            raise UserError(f"--{option} is empty; give a name, or leave it out.")
    time = None if args.time is None else moment_of(args.time, "--time")
    found = labelled(list_entries(args.pictures, args.folders), args.identity, args.camera, time)
    if args.time_from is None:
        return found
    moment = of_camera if args.time_from == "exif" else of_file
    return [
        entry
        if entry.time is not None or not entry.file.is_file()
        else replace(entry, time=moment(entry.file))
        for entry in found
    ]


def search_options(args: argparse.Namespace) -> dict[str, Any]:
    """Return what `search` was asked for, as :meth:`mmreid_ext.deploy.Gallery.search` takes it."""
    from mmreid_ext.deploy.gallery import Filters, RerankOptions

    _require_positive(args, "batch_size", "top")
    since, until = (
        None if text is None else moment_of(text, option)
        for option, text in (("--since", args.since), ("--until", args.until))
    )
    filters = Filters(
        cameras=args.camera,
        not_cameras=args.not_camera,
        since=since,
        until=until,
        identities=args.identity,
    )
    return dict(filters=filters, rerank=RerankOptions() if args.rerank else None)


def _require_positive(args: argparse.Namespace, *names: str) -> None:
    for name in names:
        if getattr(args, name) < 1:
            option = name.replace("_", "-")
            raise UserError(f"--{option} {getattr(args, name)}: at least 1.")
