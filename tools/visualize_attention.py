"""Draw which places of two images make their embeddings similar, or what one is made of.

python tools/visualize_attention.py CONFIG CHECKPOINT a.jpg b.jpg --out map.png
python tools/visualize_attention.py CHECKPOINT a.jpg --out map.png      # it holds its configuration

Orange places draw the images together, purple ones apart; a map and its constant sum up to the
cosine similarity. The pictures show people: read the terms of the data set before you share them.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from mmreid_ext.cli.errors import run_tool
from mmreid_ext.errors import UserError
from mmreid_ext.output_files import require_writable

_CHECKPOINTS = (".pth", ".pt", ".ckpt", ".safetensors")
_EXPORTED = (".onnx", ".xml")


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="[CONFIG] CHECKPOINT IMAGE [IMAGE2]",
        help="a trained model (with its configuration, if it doesn't hold one), one or two images",
    )
    parser.add_argument(
        "--out", type=Path, default="similarity_map.png", help="picture (default: %(default)s)"
    )
    parser.add_argument(
        "--layer",
        help="layer whose map is drawn, e.g. backbone.layer3 (default: what the pooling takes)",
    )
    parser.add_argument("--device", help="where to compute (default: the first GPU, else the CPU)")
    args = parser.parse_args()
    if len(args.inputs) not in (2, 3, 4):
        parser.error("give [CONFIG] CHECKPOINT IMAGE [IMAGE2]")
    is_model = Path(args.inputs[0]).suffix.lower() in (*_CHECKPOINTS, *_EXPORTED)
    has_config = len(args.inputs) == 4 or (len(args.inputs) == 3 and not is_model)
    args.config, rest = (args.inputs[0], args.inputs[1:]) if has_config else (None, args.inputs)
    args.checkpoint, *args.images = rest
    return args


def run(args: argparse.Namespace) -> None:
    require_writable(args.out, "--out")
    if Path(args.checkpoint).suffix.lower() in _EXPORTED:
        raise UserError(f"{args.checkpoint}: exported models have no gradients; give a checkpoint.")

    import numpy as np  # heavy; --help stays quick

    from mmreid_ext.apis.configuration import as_device
    from mmreid_ext.apis.embedder import build_embedder
    from mmreid_ext.apis.inputs import collate
    from mmreid_ext.visualization.similarity_maps import plot_similarity_maps, similarity_maps
    from mmreid_ext.visualization.style import picture_format

    picture_format(args.out)
    embedder = build_embedder(args.config, args.checkpoint, as_device(args.device))
    inputs, shown = [], []
    for number, path in enumerate(args.images):
        batch = collate([(number, embedder.prepare(path, number))])
        pixels = batch["inputs"][0].permute(1, 2, 0).numpy()
        shown.append(np.ascontiguousarray(pixels[..., ::-1]).astype(np.uint8))  # files are BGR
        inputs.append(embedder.model.data_preprocessor(batch, training=False)["inputs"])
    maps = similarity_maps(embedder.model, *inputs, layer=args.layer)
    names = [Path(path).name for path in args.images]
    plot_similarity_maps(maps, shown, names, args.out)
    print(f"similarity {maps.similarity:.4f}")
    print(f"Written: {args.out}")


def main() -> None:
    run_tool(lambda: run(parse_args()), instead_of_ranks="start it once, by python")


if __name__ == "__main__":
    main()
