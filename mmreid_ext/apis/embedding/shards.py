"""Keep finished parts of a long work on disk, so that an interruption loses one part at most."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mmreid_ext.errors import UserError
from mmreid_ext.json_values import read_json
from mmreid_ext.output_files.atomic import (
    atomic_open,
    atomic_write,
    folder_lock,
    sweep_leftovers,
)


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
        text = json.dumps(self.plan, sort_keys=True)
        self.digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep a second run out of the folder; for the rank that writes the result.

        Raises:
            UserError: If another process works on the same result file.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            try:
                stack.enter_context(folder_lock(self.folder, wait=False))
            except (BlockingIOError, FileNotFoundError):  # at work, or just done
                raise UserError(
                    f"{self.folder}: another process is writing this result; wait for it, or give "
                    "another --out."
                ) from None
            try:
                yield
            finally:
                with suppress(OSError):  # it is not empty: a later start continues
                    self.folder.rmdir()

    def prepare(self, again: bool = False) -> int:
        """Check that the shards in the folder are of the same work; call it inside :meth:`held`.

        Args:
            again: Whether shards of another work are deleted.

        Returns:
            How many finished shards are there.

        Raises:
            UserError: If they are of another work; says what differs.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        plan_file = self.folder / "plan.json"
        if plan_file.is_file():
            if again and _read_plan(plan_file) != self.plan:
                self._clear()
            else:
                self.require_same_plan()
        elif any(self.folder.iterdir()):
            raise UserError(
                f"{self.folder} is not a folder of this tool; move it away, or give another --out."
            )
        sweep_leftovers(self.folder)
        if not plan_file.is_file():
            atomic_write(plan_file, json.dumps(self.plan, indent=1).encode())
        return self.count()

    def require_same_plan(self) -> None:
        """Check that the folder is of this work.

        Raises:
            UserError: If it is of another one; says what differs.
        """
        found = _read_plan(self.folder / "plan.json")
        differences = [k for k in {**found, **self.plan} if found.get(k) != self.plan.get(k)]
        if differences:
            raise UserError(
                f"{self.folder} holds an unfinished work of another kind: "
                f"{_described(differences, found, self.plan)}. Use the same as before, give "
                "another --out, or --again to delete it."
            )

    def path(self, number: int) -> Path:
        """Return the file of a shard."""
        return self.folder / f"shard_{number:07d}.npz"

    def has(self, number: int) -> bool:
        """Whether a shard is finished; one of another plan is none of ours, whoever wrote it."""
        return _digest_of(self.path(number)) == self.digest

    def count(self) -> int:
        """Return how many shards are finished."""
        return sum(_digest_of(path) == self.digest for path in self._files())

    def save(self, number: int, shard: Shard) -> None:
        """Write a shard, whole or not at all.

        Raises:
            UserError: If somebody has deleted the folder.
        """
        if not self.folder.is_dir():
            raise UserError(f"{self.folder} was deleted during the work; start the tool again.")
        places = np.array(sorted(shard.unreadable), dtype=np.int64)
        reasons = np.array([shard.unreadable[place] for place in places], dtype=np.str_)
        with atomic_open(self.path(number), "wb") as file:
            np.savez(
                file,
                plan=np.array(self.digest),
                rows=shard.rows,
                feats=shard.feats,
                places=places,
                reasons=reasons,
            )

    def shards(self, total: int) -> Iterator[Shard]:
        """Read all shards in order, one at a time.

        Args:
            total: How many there must be.

        Raises:
            UserError: If one is missing, damaged or of another plan.
        """
        for number in range(total):
            if not self.has(number):
                raise UserError(
                    f"{self.path(number)} is missing or of another work; start the tool again."
                )
            with np.load(self.path(number), allow_pickle=False) as found:
                reasons = dict(
                    zip(found["places"].tolist(), found["reasons"].tolist(), strict=True)
                )
                yield Shard(found["rows"], found["feats"], reasons)

    def remove(self) -> None:
        """Delete the folder: the result is written."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("shard_*.npz"))

    def _clear(self) -> None:
        """Delete the content; the folder itself stays, because it is locked."""
        for path in (*self._files(), self.folder / "plan.json"):
            path.unlink(missing_ok=True)


def _digest_of(file: Path) -> str | None:
    """Return the digest of the plan that a shard was made by; None without a readable shard."""
    try:
        with np.load(file, allow_pickle=False) as found:
            return str(found["plan"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        return None


def _read_plan(file: Path) -> dict[str, Any]:
    try:
        found = read_json(file.read_text(encoding="utf-8"))
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"plan": "damaged"}


def _described(names: list[str], before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    return "; ".join(f"{name} was {before.get(name)!r}, is {now.get(name)!r}" for name in names)
