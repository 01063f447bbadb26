"""Draw a t-SNE map of saved embeddings, by identity and by domain (the image's test set).

python tools/test.py CONFIG CHECKPOINT --save-features features.npz
python tools/plot_embeddings.py features.npz --out map.png --seed 0
python tools/plot_embeddings.py before.npz after.npz --names before after --out maps.png

Several files are drawn side by side: by domain, or by identity if they hold one test set. Below
each domain map stands how often the nearest other person is of the same domain.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmreid_ext.cli.errors import run_tool
from mmreid_ext.cli.feature_options import (
    add_dataset_argument,
    add_features_argument,
    asked_sets,
)
from mmreid_ext.errors import UserError
from mmreid_ext.output_files import require_writable

if TYPE_CHECKING:  # heavy; --help stays quick
    from mmreid_ext.evaluation.embedding_set import EmbeddingSet


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_features_argument(parser, nargs="+")
    parser.add_argument("--out", help="picture to write, by default FEATURES with the suffix .png")
    parser.add_argument(
        "--names", nargs="+", help="titles of the maps (default: names of the files)"
    )
    add_dataset_argument(parser)
    parser.add_argument("--max-images", type=int, default=2000, help="random subset (2000)")
    parser.add_argument("--identities", type=int, default=16, help="identities in colour (16)")
    parser.add_argument("--perplexity", type=float, default=30.0, help="neighbours that count (30)")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def run(args: argparse.Namespace) -> None:
    out = Path(args.out or Path(args.features[0]).with_suffix(".png"))
    require_writable(out, "--out")
    names = args.names or [Path(file).stem for file in args.features]
    if len(names) != len(args.features):
        raise UserError(
            f"--names: {len(names)} names for {len(args.features)} files; give one for each."
        )

    from mmreid_ext.visualization import plot_tsne
    from mmreid_ext.visualization.map_comparison import plot_compared_maps

    settings: dict[str, Any] = dict(
        max_images=args.max_images,
        num_identities=args.identities,
        perplexity=args.perplexity,
        seed=args.seed,
    )
    read = [images_of(file, args.dataset) for file in args.features]
    if len(read) > 1:
        plot_compared_maps(names, read, out, **settings)
    else:
        (images,) = read
        several = len(set(images.datasets)) > 1
        plot_tsne(
            images.feats.numpy(),
            images.pids,
            images.datasets if several else None,
            out,
            distractors=images.distractors,
            **settings,
        )
    print(f"Written: {out}")


def images_of(file: str, datasets: list[str] | None) -> EmbeddingSet:
    """Read the asked test sets of a file."""
    import numpy as np  # heavy; --help stays quick

    from mmreid_ext.evaluation.results.features_file import load_features

    images, _ = load_features(file)
    names = asked_sets(datasets, images.datasets.tolist(), file)
    return images.take(np.isin(images.datasets, names)) if datasets else images


def main() -> None:
    run_tool(lambda: run(parse_args()), instead_of_ranks="start it once, by python")


if __name__ == "__main__":
    main()
