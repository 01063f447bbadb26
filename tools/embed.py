"""Embed every picture of a folder, of a CSV file or of a list; labels aren't needed.

python tools/embed.py CHECKPOINT PHOTOS --out features.npz
python tools/embed.py CONFIG CHECKPOINT crops.csv --out features.parquet
python tools/embed.py CHECKPOINT PHOTOS --out large.features
torchrun --nproc_per_node 4 tools/embed.py CHECKPOINT PHOTOS --out features.npz

A second start continues an interrupted one. Any number of ranks writes the same file. The exit code
is 0 if every picture was embedded, 3 if some couldn't be read (on several ranks it is 0, too):
FEATURES.unreadable.txt lists them.
"""

from __future__ import annotations

import argparse
import os
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path

from mmreid_ext.cli.errors import run_tool
from mmreid_ext.cli.nodes.losing import watched
from mmreid_ext.cli.ranks import choose_launcher
from mmreid_ext.output_files import require_writable
from mmreid_ext.shorten import several

SOME_UNREADABLE = 3
"""Exit code: the file is written, but some pictures are not in it."""

_PATIENCE = timedelta(days=7)
"""How long ranks that are done wait for the others; a dead one is noticed by its launcher."""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="[CONFIG] CHECKPOINT PICTURES",
        help="a trained model (with its configuration, if it doesn't hold one) or an exported one "
        "(model.onnx, model.xml), and a folder, a "
        ".csv file with a column 'path', or a .txt file with one path per line",
    )
    parser.add_argument(
        "--out",
        required=True,
        type=Path,
        help="file to write, .npz or .parquet; or folder, .features, whose content is evaluated "
        "and searched without being read into memory",
    )
    parser.add_argument(
        "--batch-size", type=int, default=64, help="pictures of a forward pass (default: 64)"
    )
    parser.add_argument(
        "--workers",
        type=int,
        default=min(4, os.cpu_count() or 1),
        help="threads that decode pictures, per rank (default: %(default)s)",
    )
    parser.add_argument(
        "--again", action="store_true", help="delete what an interrupted start has left"
    )
    parser.add_argument("--device", help="where to compute (default: the GPU of the rank, or CPU)")
    parser.add_argument(
        "--launcher",
        choices=["none", "pytorch", "slurm"],
        help="job launcher (default: the one that started this process)",
    )
    args = parser.parse_args()
    if len(args.inputs) not in (2, 3):
        parser.error("give CHECKPOINT PICTURES, or CONFIG CHECKPOINT PICTURES")
    if args.workers < 1:
        parser.error(f"--workers {args.workers}: at least 1")
    *config, args.model, args.source = args.inputs
    args.config = config[0] if config else None
    return args


@watched()
def run(args: argparse.Namespace) -> int:
    # A folder of features is replaced from within.
    inside = args.out / "features.json" if args.out.suffix == ".features" else args.out
    require_writable(inside, "--out")
    launcher = choose_launcher(args.launcher)

    from mmreid_ext.apis import ReIDInferencer
    from mmreid_ext.apis.embedding.embed_images import embed_images, number_of_shards
    from mmreid_ext.apis.embedding.identity import notes_of, plan_of
    from mmreid_ext.apis.embedding.image_list import list_of
    from mmreid_ext.apis.embedding.result_file import check_suffix, write_result
    from mmreid_ext.apis.embedding.shards import ShardStore
    from mmreid_ext.cli.launch import expected_world_size, join_ranks
    from mmreid_ext.cli.screen.embedding_progress import EmbeddingProgress
    from mmreid_ext.distributed import barrier, get_rank, get_world_size, is_main

    check_suffix(args.out)
    expected_world_size(launcher)
    join_ranks(launcher, _PATIENCE)
    images = list_of(args.source)
    inferencer = ReIDInferencer(
        args.config, args.model, device=args.device or _own_device(), batch_size=args.batch_size
    )
    notes = notes_of(args.model, inferencer)
    store = ShardStore(args.out, plan_of(notes, images, args.batch_size))
    with store.held() if is_main() else nullcontext():
        progress = EmbeddingProgress(len(images), get_world_size()) if is_main() else None
        if progress is not None:
            finished = store.prepare(args.again)
            progress.start(args.source, finished, number_of_shards(images))
        barrier()
        store.require_same_plan()  # another machine may see other pictures
        embed_images(
            inferencer,
            images,
            store,
            rank=get_rank(),
            world_size=get_world_size(),
            threads=args.workers,
            progress=progress,
        )
        barrier()
        if progress is None:
            return 0
        progress.end()
        count, unreadable = write_result(args.out, images, store, number_of_shards(images), notes)
        store.remove()
    reasons = {images.name(place): why for place, why in sorted(unreadable.items())}
    report(args, count, inferencer.use["embedding"]["size"], reasons)
    # On several ranks torchrun would call another code the failure of a rank.
    return SOME_UNREADABLE if unreadable and get_world_size() == 1 else 0


def report(args: argparse.Namespace, count: int, width: int, unreadable: dict[str, str]) -> None:
    """Say what was written, and list what was not, on the screen and in a file."""
    from mmreid_ext.output_files.atomic import atomic_write

    print(f"Written: {args.out}, {count:,} embeddings of {width} numbers")
    lost = args.out.with_name(f"{args.out.name}.unreadable.txt")
    if unreadable:
        # One line each, whatever a name holds.
        lines = [" ".join(f"{name}\t{why}".splitlines()) for name, why in unreadable.items()]
        atomic_write(lost, "\n".join([*lines, ""]).encode("utf-8", "surrogateescape"))
        missing = several(len(unreadable), "picture")
        print(f"NOT embedded: {missing} that can't be read; {lost} lists them")
    else:
        lost.unlink(missing_ok=True)
    if count:
        print(f"next: python tools/search.py QUERY.jpg --gallery {args.out} --model {args.model}")


def _own_device() -> str | None:
    """Return the GPU of this rank; None leaves the choice to the inferencer."""
    import torch

    local = os.environ.get("LOCAL_RANK") or os.environ.get("SLURM_LOCALID")
    if local is None or not torch.cuda.is_available():
        return None
    return f"cuda:{int(local) % torch.cuda.device_count()}"


def main() -> None:
    run_tool(lambda: run(parse_args()))


if __name__ == "__main__":
    main()
