"""Keep finished parts of a long work on disk, so that an interruption loses one part at most."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mmreid_ext.checkpoint.atomic import atomic_open, atomic_write, sweep_leftovers
from mmreid_ext.errors import UserError


class Shard(NamedTuple):
    """Embeddings of neighbouring pictures of a list.

    Attributes:
        rows: Places in the list of those that were embedded, (n,), int64, ascending.
        feats: Their embeddings, (n, D), float32.
        unreadable: Reason by place of those that can't be read.
    """

    rows: np.ndarray
    feats: np.ndarray
    unreadable: dict[int, str]


class ShardStore:
    """The finished shards of one result file, in the folder ``NAME.parts`` beside it.

    Args:
        out: The result file.
        plan: What decides the embeddings: model, list of pictures, sizes of batches. Text and
            numbers.
    """

    def __init__(self, out: Path, plan: Mapping[str, Any]) -> None:
        self.folder = out.with_name(out.name + ".parts")
        self.plan = dict(plan)

    def prepare(self, again: bool = False) -> int:
        """Make the folder, or check that the shards in it are of the same work.

        Args:
            again: Whether shards of another work are deleted.

        Returns:
            How many finished shards are there.

        Raises:
            UserError: If they are of another work; says what differs.
        """
        plan_file = self.folder / "plan.json"
        if plan_file.is_file():
            found = _read_plan(plan_file)
            differences = [k for k in {**found, **self.plan} if found.get(k) != self.plan.get(k)]
            if differences and not again:
                raise UserError(
                    f"{self.folder} holds an unfinished work of another kind: "
                    f"{_described(differences, found, self.plan)}. Use the same as before, give "
                    "another --out, or --again to delete it."
                )
            if differences:
                shutil.rmtree(self.folder)
        elif self.folder.exists() and any(self.folder.iterdir()):
            raise UserError(
                f"{self.folder} is not a folder of this tool; move it away, or give another --out."
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        sweep_leftovers(self.folder)
        if not plan_file.is_file():
            atomic_write(plan_file, json.dumps(self.plan, indent=1).encode())
        return self.count()

    def path(self, number: int) -> Path:
        """Return the file of a shard."""
        return self.folder / f"shard_{number:07d}.npz"

    def has(self, number: int) -> bool:
        """Whether a shard is finished."""
        return self.path(number).is_file()

    def count(self) -> int:
        """Return how many shards are finished."""
        with os.scandir(self.folder) as entries:
            return sum(e.name.startswith("shard_") and e.name.endswith(".npz") for e in entries)

    def save(self, number: int, shard: Shard) -> None:
        """Write a shard, whole or not at all."""
        places = np.array(sorted(shard.unreadable), dtype=np.int64)
        reasons = np.array([shard.unreadable[place] for place in places], dtype=np.str_)
        with atomic_open(self.path(number), "wb") as file:
            np.savez(file, rows=shard.rows, feats=shard.feats, places=places, reasons=reasons)

    def shards(self, total: int) -> Iterator[Shard]:
        """Read all shards in order, one at a time.

        Args:
            total: How many there must be.

        Raises:
            UserError: If one is missing.
        """
        for number in range(total):
            if not self.has(number):
                raise UserError(f"{self.path(number)} is missing; start the tool again.")
            with np.load(self.path(number), allow_pickle=False) as found:
                reasons = dict(
                    zip(found["places"].tolist(), found["reasons"].tolist(), strict=True)
                )
                yield Shard(found["rows"], found["feats"], reasons)

    def remove(self) -> None:
        """Delete the folder: the result is written."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _read_plan(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"plan": "damaged"}


def _described(names: list[str], before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    return "; ".join(f"{name} was {before.get(name)!r}, is {now.get(name)!r}" for name in names)
