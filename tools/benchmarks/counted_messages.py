"""Count what an iteration sends to other ranks, by kind, in one process that plays one of many.

The collectives are answered as if all ranks held what this one holds. Nothing is sent, so the
number of ranks may be any; what is counted depends on it, and on the network, alone.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from unittest import mock

import torch.distributed as dist
from torch import Tensor

# Files of this package in which a message has its cause.
KINDS = {
    "batch_moments.py": "moments",
    "global_batch.py": "features and labels",
    "meta_gates.py": "gates",
    "step_outputs.py": "logged values",
}
OTHERS = "others"


class Message(NamedTuple):
    """One collective operation.

    Attributes:
        kind: A value of :data:`KINDS`, or :data:`OTHERS`.
        name: ``'gather'``, ``'sum'`` or ``'sum of parts'`` (each rank gets its own part only).
        size: Bytes that this rank hands over.
    """

    kind: str
    name: str
    size: int

    def moved(self, world_size: int) -> float:
        """Bytes that this rank sends if the ranks stand in a ring."""
        others = world_size - 1
        return (
            self.size
            * {
                "gather": others,
                "sum": 2 * others / world_size,
                "sum of parts": others / world_size,
            }[self.name]
        )


@contextmanager
def noted_messages(world_size: int | None = None) -> Iterator[list[Message]]:
    """Note the messages of ``mmreid_ext.distributed`` inside the block.

    Args:
        world_size: This process plays rank 0 of so many. None: the process group that is running
            does its work.
    """
    messages: list[Message] = []
    originals = {name: getattr(dist, name) for name in ("all_gather", "all_reduce")}
    originals["all_to_all_single"] = dist.all_to_all_single

    def gather(parts: list[Tensor], x: Tensor, **options: Any) -> Any:
        messages.append(_message("gather", x))
        if world_size is None:
            return originals["all_gather"](parts, x, **options)
        for part in parts:
            part.copy_(x)
        return None

    def total(x: Tensor, *args: Any, **options: Any) -> Any:
        messages.append(_message("sum", x))
        if world_size is None:
            return originals["all_reduce"](x, *args, **options)
        return x.mul_(world_size) if x.is_floating_point() else x

    def parts_of_total(out: Tensor, x: Tensor, **options: Any) -> Any:
        messages.append(_message("sum of parts", x))
        if world_size is None:
            return originals["all_to_all_single"](out, x, **options)
        return out.copy_(x[:1].expand_as(x))

    changes = dict(all_gather=gather, all_reduce=total, all_to_all_single=parts_of_total)
    if world_size is None:
        with mock.patch.multiple(dist, **changes):
            yield messages
        return
    # A group of one, for whoever else asks whether there is one.
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    try:
        with mock.patch.multiple(dist, get_world_size=lambda group=None: world_size, **changes):
            yield messages
    finally:
        dist.destroy_process_group()


def _message(name: str, x: Tensor) -> Message:
    return Message(_kind(name), name, x.numel() * x.element_size())


def _kind(name: str) -> str:
    """Find the cause of a message in the calls that led to it."""
    frame = sys._getframe(2)
    while frame is not None:
        kind = KINDS.get(frame.f_code.co_filename.rpartition("/")[2])
        if kind is not None:
            # The backward pass of the features' gather is started by whoever wants gradients.
            return "features and labels" if name == "sum of parts" else kind
        frame = frame.f_back
    return "features and labels" if name == "sum of parts" else OTHERS


def table(messages: list[Message], world_size: int) -> str:
    """Show messages and bytes by kind, in Markdown."""
    rows: dict[tuple[str, str], list[Message]] = {}
    for message in messages:
        rows.setdefault((message.kind, message.name), []).append(message)
    lines = [
        "| what | how | messages | kB handed over | kB sent in a ring |",
        "|---|---|---|---|---|",
    ]
    for key, found in [*sorted(rows.items()), (("all", ""), messages)]:
        size = sum(message.size for message in found)
        moved = sum(message.moved(world_size) for message in found)
        cells = (*key, len(found), f"{size / 1000:,.0f}", f"{moved / 1000:,.0f}")
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def counts(messages: list[Message]) -> Counter:
    """Number of messages by (kind, name)."""
    return Counter((message.kind, message.name) for message in messages)
