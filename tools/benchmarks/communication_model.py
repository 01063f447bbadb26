"""Compute what communication of a MetaBIN iteration would cost on many GPUs: no measurement.

A collective is modelled as ``launch + hops * latency + bytes / bandwidth``: a tree of
``log2`` hops within a node and between nodes for small messages, a ring for the bytes. A ring
moves ``2 (W - 1) / W`` times the buffer in a sum that all ranks get, half of that if each rank gets
its own part, and ``(W - 1) / W`` times the gathered buffer in a gather. All numbers can be set.

The second table is for messages as they were before: one for every norm, the adjoint of each gather
summed whole.

Example::

    python tools/benchmarks/communication_model.py --gpus 8 64 512 --images-per-gpu 24
"""

from __future__ import annotations

import argparse
import math

from mmreid_ext.cli.errors import run_tool

# ResNet-50: channels of its 53 normalisation layers, as (channels, number of layers).
LAYERS = ((64, 7), (128, 8), (256, 16), (512, 11), (1024, 7), (2048, 4))
SHORTCUTS = (256, 512, 1024, 2048)  # of these norms, one each shares the message of another one
FEATURES = 2048
PARAMETERS = 23_508_032 + 751 * FEATURES + 2 * 26_560 + FEATURES  # with BIN and classifier
PASSES = 3  # base, meta-train, meta-test
LABELS = 16  # bytes of label and domain, which travel with an image's features


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--gpus", type=int, nargs="+", default=[8, 64, 512])
    parser.add_argument("--per-node", type=int, default=8)
    parser.add_argument("--images-per-gpu", type=int, default=24, help="of base and of meta batch")
    parser.add_argument("--launch", type=float, default=10, help="us for a collective at all")
    parser.add_argument("--latency", type=float, default=2, help="us per hop within a node")
    parser.add_argument("--network-latency", type=float, default=5, help="us per hop between nodes")
    parser.add_argument("--bandwidth", type=float, default=200, help="GB/s per GPU within a node")
    parser.add_argument("--network", type=float, default=25, help="GB/s per GPU between nodes")
    return parser.parse_args()


class Cluster:
    """Cost of collectives over ``gpus`` ranks, in milliseconds."""

    def __init__(self, args: argparse.Namespace, gpus: int) -> None:
        self.gpus = gpus
        nodes = math.ceil(gpus / args.per_node)
        hops = math.log2(min(gpus, args.per_node)) * args.latency
        hops += math.log2(nodes) * args.network_latency
        self.latency = 1e-3 * (args.launch + 2 * hops)
        self.bytes_per_ms = 1e6 * (args.bandwidth if nodes == 1 else args.network)

    def all_reduce(self, size: float) -> float:
        """Sum of buffers of ``size`` bytes."""
        return self.latency + 2 * (self.gpus - 1) / self.gpus * size / self.bytes_per_ms

    def sum_of_parts(self, size: float) -> float:
        """Sum of buffers of ``size`` bytes, of which each rank gets its own part."""
        return self.latency + (self.gpus - 1) / self.gpus * size / self.bytes_per_ms

    def gather(self, size: float) -> float:
        """Buffers of ``size`` bytes from every rank."""
        return self.latency + (self.gpus - 1) * size / self.bytes_per_ms


def costs(cluster: Cluster, images: int) -> dict[str, float]:
    """Milliseconds per iteration of every kind of message; float32 throughout."""
    channels = [c for c, count in LAYERS for _ in range(count)]
    for c in SHORTCUTS:
        channels.remove(c)
        channels[channels.index(c)] += c
    # The stem's norm has no gradient in the meta passes.
    forward = PASSES * sum(cluster.gather(4 * (2 * c + 1)) for c in channels)
    backward = PASSES * sum(cluster.all_reduce(8 * c) for c in channels)
    backward -= (PASSES - 1) * cluster.all_reduce(8 * channels[0])
    # The neck's norm reads the gathered features, and has no message.
    features = sum(
        cluster.gather(n * (4 * FEATURES + LABELS))
        + cluster.sum_of_parts(4 * cluster.gpus * n * FEATURES)
        for n in (images, images / 2, images / 2)  # base batch, the two halves of the meta batch
    )
    return _named(cluster, forward + backward, features)


def costs_before(cluster: Cluster, images: int) -> dict[str, float]:
    """The same for one message per norm, and sums of whole gathered buffers."""
    sizes = [4 * (2 * c + 1) for c, count in LAYERS for _ in range(count)]
    sizes += [4 * (2 * FEATURES + 1)]  # the neck
    world = cluster.gpus
    forward = PASSES * sum(cluster.gather(s) for s in sizes)
    backward = PASSES * sum(cluster.all_reduce(world * s) for s in sizes)
    backward -= (PASSES - 1) * cluster.all_reduce(world * sizes[0])
    features = sum(
        cluster.gather(n * (4 * FEATURES + LABELS)) + cluster.all_reduce(4 * world * n * FEATURES)
        for n in (images, images / 2, images / 2)
    )
    return _named(cluster, forward + backward, features, flags=1)


def _named(cluster: Cluster, moments: float, features: float, flags: int = 0) -> dict[str, float]:
    gates = 2 * cluster.all_reduce(4 * sum(c * count for c, count in LAYERS))
    return {
        "moments": moments,
        "features and labels": features,
        "gates": gates + flags * cluster.all_reduce(4),
        "gradients (overlap with backward)": cluster.all_reduce(4 * PARAMETERS),
    }


def run(args: argparse.Namespace) -> None:
    for title, model in (("now", costs), ("before", costs_before)):
        tables = {gpus: model(Cluster(args, gpus), args.images_per_gpu) for gpus in args.gpus}
        print(f"| {title}, ms per iteration | " + " | ".join(f"{n} GPUs" for n in tables) + " |")
        print("|---|" + "---|" * len(tables))
        for name in next(iter(tables.values())):
            print(f"| {name} | " + " | ".join(f"{t[name]:.1f}" for t in tables.values()) + " |")
        print()


def main() -> None:
    run_tool(lambda: run(parse_args()))


if __name__ == "__main__":
    main()
