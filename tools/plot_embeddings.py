"""Draw a t-SNE map of saved embeddings, by identity and by domain (the image's test set).

python tools/test.py CONFIG CHECKPOINT --save-features features.npz
python tools/plot_embeddings.py features.npz --out map.png --seed 0
"""

from __future__ import annotations

import argparse
from pathlib import Path

from mmreid_ext.cli.errors import run_tool
from mmreid_ext.cli.feature_options import (
    add_dataset_argument,
    add_features_argument,
    asked_sets,
)
from mmreid_ext.output_files import require_writable


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_features_argument(parser)
    parser.add_argument("--out", help="picture to write, by default FEATURES with the suffix .png")
    add_dataset_argument(parser)
    parser.add_argument("--max-images", type=int, default=2000, help="random subset (2000)")
    parser.add_argument("--identities", type=int, default=16, help="identities in colour (16)")
    parser.add_argument("--perplexity", type=float, default=30.0, help="neighbours that count (30)")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def run(args: argparse.Namespace) -> None:
    out = Path(args.out or Path(args.features).with_suffix(".png"))
    require_writable(out, "--out")

    import numpy as np  # heavy; --help stays quick

    from mmreid_ext.evaluation.results.features_file import load_features
    from mmreid_ext.visualization import plot_tsne

    images, _ = load_features(args.features)
    names = asked_sets(args.dataset, images.datasets.tolist(), args.features)
    if args.dataset:
        images = images.take(np.isin(images.datasets, names))
    several = len(set(images.datasets)) > 1
    plot_tsne(
        images.feats.numpy(),
        images.pids,
        images.datasets if several else None,
        out,
        distractors=images.distractors,
        max_images=args.max_images,
        num_identities=args.identities,
        perplexity=args.perplexity,
        seed=args.seed,
    )
    print(f"Written: {out}")


def main() -> None:
    run_tool(lambda: run(parse_args()), instead_of_ranks="start it once, by python")


if __name__ == "__main__":
    main()
