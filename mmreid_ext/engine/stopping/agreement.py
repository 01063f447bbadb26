"""Let all ranks learn at the same step that one of them was asked to stop."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist

from mmreid_ext.distributed import is_distributed


class Agreement:
    """Tells all ranks the highest number that any of them said.

    On several ranks it has a group of its own on gloo, so that it works beside NCCL. The number of
    one step arrives while the next one is computed: nobody waits for it.

    All ranks call the methods equally often and in the same order.
    """

    def __init__(self) -> None:
        self._group = dist.new_group(backend="gloo") if is_distributed() else None
        self._under_way: tuple[torch.Tensor, Any] | None = None

    def now(self, number: int, lowest: bool = False) -> int:
        """Return the highest number of all ranks; everybody waits for everybody.

        Args:
            number: That of this rank.
            lowest: Whether to return the lowest one.
        """
        if self._group is None:
            return number
        value = torch.tensor([number])
        op = dist.ReduceOp.MIN if lowest else dist.ReduceOp.MAX
        dist.all_reduce(value, op=op, group=self._group)
        return int(value)

    def at_last_step(self, number: int) -> int:
        """Return the highest number that the ranks said one call earlier.

        A single process gets the number of this call.

        Args:
            number: That of this rank.
        """
        if self._group is None:
            return number
        answer = self._arrived()
        value = torch.tensor([number])
        self._under_way = (
            value,
            dist.all_reduce(value, op=dist.ReduceOp.MAX, group=self._group, async_op=True),
        )
        return answer

    def close(self) -> None:
        """Wait for what is under way."""
        self._arrived()

    def _arrived(self) -> int:
        if self._under_way is None:
            return 0
        value, work = self._under_way
        self._under_way = None
        work.wait()
        return int(value)
