"""Keep a gallery of people: add pictures, search, delete, export, move it to a server.

python tools/gallery.py add people.db PHOTOS --model model.onnx --identity-from-folder
python tools/gallery.py search people.db who.jpg --model model.onnx
python tools/gallery.py info people.db
python tools/gallery.py delete people.db --identity lea

PLACE is a file, or the address of a Milvus server, http://host:19530/DATABASE?collection=NAME. Its
token is read from the environment variable MMREID_GALLERY_TOKEN. An interrupted `add` is simply
given again: pictures that are there are skipped. Moments without a zone are UTC.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mmreid_ext.cli.errors import run_tool
from mmreid_ext.cli.gallery.arguments import add_arguments, model_arguments, search_arguments
from mmreid_ext.errors import UserError
from mmreid_ext.output_files import require_writable
from mmreid_ext.output_files.atomic import atomic_write
from mmreid_ext.shorten import several

if TYPE_CHECKING:  # heavy; --help stays quick
    from mmreid_ext.deploy import Gallery

SOME_UNREADABLE = 3
"""Exit code: the work is done, but some pictures couldn't be read."""

FEATURES = (".npz", ".parquet")  # the second is refused with the remedy


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.add_argument("place", metavar="PLACE", help="people.db, or http://host:19530")
        return made

    add_arguments(command("add", "add pictures, or a features file of tools/embed.py"))
    search_arguments(command("search", "find the pictures that look most like a query"))
    info = command("info", "say what a gallery holds")
    info.add_argument("--json", action="store_true", help="write JSON, with all people")
    delete = command("delete", "delete a person, or pictures; nothing of them is left in the file")
    which = delete.add_mutually_exclusive_group(required=True)
    which.add_argument("--identity", help="everything of this person")
    which.add_argument("--id", type=int, nargs="+", help="pictures, by the ids that search shows")
    delete.add_argument("--yes", action="store_true", help="don't ask")
    label = command("label", "say who is on pictures that are there")
    label.add_argument("--id", type=int, nargs="+", required=True, help="as search shows them")
    label.add_argument("--identity", help="who it is (default: nobody known)")
    export = command("export", "write a features file, for tools/search.py and tools/evaluate.py")
    export.add_argument("file", type=Path, metavar="FILE", help="file.npz")
    export.add_argument("--thumbnails", action="store_true", help="write the small JPEGs, too")
    take = command("import", "add the embeddings of a features file")
    take.add_argument("file", type=Path, metavar="FILE", help="file.npz")
    model_arguments(take)
    copy = command("copy", "copy everything to another gallery, such as one on a server")
    copy.add_argument("other", metavar="OTHER", help="file or address; it may hold a part already")
    return parser.parse_args()


def run(args: argparse.Namespace) -> int:
    return COMMANDS[args.command](args)


def _open(place: str, **options: object) -> Gallery:
    from mmreid_ext.deploy import Gallery

    return Gallery(place, **options)  # type: ignore[arg-type]


def add(args: argparse.Namespace) -> int:
    if Path(args.pictures).suffix.lower() in FEATURES:
        args.file = args.pictures
        return take(args)
    if args.model is None:
        raise UserError("add: pictures need --model, such as model.onnx.")

    from mmreid_ext.cli.gallery.adding import add_entries
    from mmreid_ext.cli.gallery.arguments import entries_of
    from mmreid_ext.cli.gallery.models import open_model
    from mmreid_ext.cli.gallery.progress import CountedProgress

    entries = entries_of(args)
    model = open_model(args.model, args.config, args.device)
    with _open(args.place, model=model.info) as gallery:
        progress = CountedProgress(len(entries), "pictures")
        try:
            result = add_entries(
                gallery,
                model,
                entries,
                thumbnails=args.thumbnails,
                batch=args.batch_size,
                threads=args.threads,
                progress=progress,
            )
        finally:
            progress.end()
        rows = gallery.info().rows
    known = f", {result.known:,} were there and stay as they are" if result.known else ""
    print(f"{args.place}: {several(result.added, 'picture')} added{known}; it holds {rows:,}")
    if result.conflicts:
        print(f"{result.conflicts:,} of these keep another name; `label` changes it")
    return _unreadable("NOT added", result.unreadable)


def _unreadable(what: str, lost: dict[str, str]) -> int:
    for name, reason in list(lost.items())[:10]:
        print(f"{what}: {' '.join(name.splitlines())}: {reason}")
    if len(lost) > 10:
        print(f"{what}: {len(lost) - 10:,} more")
    return SOME_UNREADABLE if lost else 0


def search(args: argparse.Namespace) -> int:
    require_writable(args.json, "--json")

    from mmreid_ext.cli.gallery import searching
    from mmreid_ext.cli.gallery.arguments import search_options
    from mmreid_ext.cli.gallery.models import open_model
    from mmreid_ext.deploy.gallery import Filters

    options = search_options(args)
    model = open_model(args.model, args.config, args.device)
    with _open(args.place, model=model.info, read_only=True) as gallery:
        queries, lost = searching.embed_queries(model, args.queries, args.batch_size)
        found = searching.search(gallery, queries, args.top, **options)
    thresholds = model.info.thresholds
    conditions = options["filters"] != Filters()
    print(searching.search_text(found, thresholds, conditions))
    if args.json is not None:
        data = searching.search_data(found, args.model, thresholds)
        atomic_write(args.json, (json.dumps(data, indent=1, allow_nan=False) + "\n").encode())
        print(f"Written: {args.json}")
    return _unreadable("NOT asked", lost)


def info(args: argparse.Namespace) -> int:
    from mmreid_ext.cli.gallery.report import info_data, info_text

    with _open(args.place, read_only=True) as gallery:
        print(json.dumps(info_data(gallery), indent=1) if args.json else info_text(gallery))
    return 0


def delete(args: argparse.Namespace) -> int:
    from mmreid_ext.cli.gallery.report import to_delete

    with _open(args.place) as gallery:
        what = to_delete(gallery, args.identity, args.id)
        if not args.yes and not _agreed(f"Delete {what} from {args.place}?"):
            print("Nothing was deleted.")
            return 1
        chosen = dict(ids=args.id) if args.identity is None else dict(identity=args.identity)
        number = gallery.delete(**chosen)
        rows = gallery.info().rows
    print(f"{args.place}: {several(number, 'picture')} deleted; it holds {rows:,}")
    return 0


def _agreed(question: str) -> bool:
    if not sys.stdin.isatty():
        raise UserError(f"{question} Nobody can answer here; add --yes.")
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")


def label(args: argparse.Namespace) -> int:
    with _open(args.place) as gallery:
        number = gallery.label(args.id, args.identity)
    who = "nobody known" if args.identity is None else repr(args.identity)
    print(f"{args.place}: {several(number, 'picture')} of {who} now")
    return 0


def export(args: argparse.Namespace) -> int:
    require_writable(args.file, "FILE")
    with _open(args.place, read_only=True) as gallery:
        rows = gallery.export(args.file, thumbnails=args.thumbnails)
    print(f"Written: {args.file}, {several(rows, 'embedding')}")
    return 0


def take(args: argparse.Namespace) -> int:
    from mmreid_ext.cli.gallery.moving import take_features

    model = None
    if args.model is not None:
        from mmreid_ext.cli.gallery.models import open_model

        model = open_model(args.model, args.config, args.device).info
    print(take_features(args.place, args.file, model))
    return 0


def copy(args: argparse.Namespace) -> int:
    from mmreid_ext.cli.gallery.moving import copy_gallery

    print(copy_gallery(args.place, args.other))
    return 0


COMMANDS = {"import": take} | {
    f.__name__: f for f in (add, search, info, delete, label, export, copy)
}


def main() -> None:
    run_tool(lambda: run(parse_args()), instead_of_ranks="start it once, by python")


if __name__ == "__main__":
    main()
