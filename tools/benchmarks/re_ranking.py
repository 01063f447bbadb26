"""Time and memory of k-reciprocal re-ranking, as a ratio to ``torch.mm`` of the N x N product.

    python tools/benchmarks/re_ranking.py --sizes small market --threads 2

``evaluate_retrieval(rerank=...)`` streams: it is the whole evaluation with re-ranking. The dense
reference is the published algorithm with N x N arrays in float32, at the small size only.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import torch
from planted import HEADER, SIZES, measure, plant, product, row

from mmreid_ext.cli.errors import run_tool
from mmreid_ext.evaluation import evaluate_retrieval, k_reciprocal_rerank


def dense_reference(
    query: torch.Tensor, gallery: torch.Tensor, k1=20, k2=6, weight=0.3
) -> np.ndarray:
    """The published algorithm, plainly: N x N distances, a full sort, dense encodings."""
    feats = torch.cat([query, gallery])
    distance = (2 - 2 * feats @ feats.T).clamp_(min=0).numpy()
    order = np.argsort(distance, axis=1, kind="stable")[:, : k1 + 1]
    distance /= distance.max(axis=1, keepdims=True)

    def mutual(i: int, k: int) -> np.ndarray:
        near = order[i, : k + 1]
        return near[(order[near, : k + 1] == i).any(axis=1)]

    encoding = np.zeros_like(distance)
    for i in range(len(distance)):
        near = mutual(i, k1)
        parts = [near]
        for j in near:
            other = mutual(j, round(k1 / 2))
            if len(np.intersect1d(near, other)) > 2 / 3 * len(other):
                parts.append(other)
        members = np.unique(np.concatenate(parts))
        values = np.exp(-distance[i, members])
        encoding[i, members] = values / values.sum()
    encoding = np.stack([encoding[near[:k2]].mean(axis=0) for near in order])
    start = len(query)
    shared = np.stack([np.minimum(v, encoding[start:]).sum(axis=1) for v in encoding[:start]])
    return (1 - weight) * (1 - shared / (2 - shared)) + weight * distance[:start, start:]


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", nargs="+", default=["small", "market"], choices=list(SIZES))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--product-share", type=float, default=0.25, help="of the product that is timed"
    )
    return parser.parse_args()


def run(args: argparse.Namespace) -> None:
    torch.set_num_threads(args.threads)
    evaluate_retrieval(**plant("small"), rerank={})  # first calls load libraries
    print(HEADER)
    for size in args.sizes:
        data = plant(size)
        pair = data["query_feats"], data["gallery_feats"]
        feats = torch.cat(pair)
        floor = product(feats, feats, args.product_share)
        del feats
        print(row(size, "torch.mm (N x N)", floor, floor, "-"), flush=True)
        cost = measure(lambda d=data: evaluate_retrieval(**d, rerank={}, progress=_show))
        scores = f"{cost.result.cmc[0]:.4f} / {cost.result.mAP:.6f}"
        print(row(size, "evaluate_retrieval(rerank)", cost, floor, scores), flush=True)
        if size == "small":
            cost = measure(lambda pair=pair: dense_reference(*pair))
            error = np.abs(cost.result - k_reciprocal_rerank(*pair).numpy()).max()
            print(row(size, "dense reference", cost, floor, f"differs by {error:.1e}"), flush=True)


def _show(stage: str, done: int, total: int) -> None:
    sys.stderr.write(f"\r{stage} {done}/{total}   ")


def main() -> None:
    run_tool(lambda: run(parse_args()))


if __name__ == "__main__":
    main()
