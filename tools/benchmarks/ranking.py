"""Time and memory of the exact ranking, as a ratio to ``torch.mm`` of the same product.

    python tools/benchmarks/ranking.py --sizes small market --threads 2 --repeats 3
    python tools/benchmarks/ranking.py --sizes msmt17 --queries 1200 --repeats 5

Product and method take turns; medians are printed. The dense reference holds the Q x G matrix and
sorts each row, at sizes where that fits.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from planted import HEADER, SIZES, measure, middle, plant, product, row

from mmreid_ext.cli.errors import run_tool
from mmreid_ext.errors import UserError
from mmreid_ext.evaluation import evaluate_retrieval


def dense_reference(
    query_feats, gallery_feats, query_pids, gallery_pids, query_camids, gallery_camids
):
    """MAP the plain way: the whole matrix, a full sort of each row, a loop over queries."""
    scores = (query_feats @ gallery_feats.T).numpy()
    precisions = []
    for line, pid, camid in zip(scores, query_pids, query_camids, strict=True):
        order = np.argsort(-line, kind="stable")
        true = gallery_pids[order] == pid
        true = true[~(true & (gallery_camids[order] == camid))]
        if true.any():
            hits = true.nonzero()[0] + 1
            precisions.append((np.arange(1, len(hits) + 1) / hits).mean())
    return float(np.mean(precisions))


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", nargs="+", default=["small", "market"], choices=list(SIZES))
    parser.add_argument(
        "--queries", type=int, help="rank and multiply only so many, against the whole gallery"
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--no-reference", action="store_true", help="skip the dense reference")
    parser.add_argument(
        "--product-share", type=float, default=1.0, help="of the product that is timed"
    )
    return parser.parse_args()


def run(args: argparse.Namespace) -> None:
    if args.queries is not None and args.queries < 1:
        raise UserError(f"--queries: {args.queries} must be at least 1.")
    torch.set_num_threads(args.threads)
    evaluate_retrieval(**plant("small"))  # first calls load libraries
    print(HEADER)
    for size in args.sizes:
        data = plant(size)
        for name in ("query_feats", "query_pids", "query_camids"):
            data[name] = data[name][: args.queries]
        products, ours = [], []
        for _ in range(args.repeats):
            share = args.product_share
            products.append(product(data["query_feats"], data["gallery_feats"], share))
            ours.append(measure(lambda data=data: evaluate_retrieval(**data)))
        floor, cost = middle(products), middle(ours)
        scores = f"{cost.result.cmc[0]:.4f} / {cost.result.mAP:.6f}"
        print(row(size, "torch.mm", floor, floor, "-"))
        print(row(size, "evaluate_retrieval", cost, floor, scores), flush=True)
        if size != "msmt17" and not args.no_reference:
            cost = measure(lambda data=data: dense_reference(**data))
            print(row(size, "dense reference", cost, floor, f"- / {cost.result:.6f}"), flush=True)


def main() -> None:
    run_tool(lambda: run(parse_args()))


if __name__ == "__main__":
    main()
