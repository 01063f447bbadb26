"""Make the world, write the attacks, give each to every entry of its kind."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .attack import Attack
from .checkpoints import checkpoint_attacks
from .child import Outcome, run_forked
from .configurations import configuration_attacks
from .documents import document_attacks
from .entries import Entry, entries, run_script
from .judge import faults, snapshot
from .others import other_attacks
from .world import WRITABLE, make_world

MOST_CPU = 90
"""Processor seconds of one program."""

_HONEST = {
    "checkpoint": "base/iter_2.pth",
    "configuration": "data/tiny.py",
    "features": "base/features.npz",
    "results": "base/other.json",
    "csv": "data/list.csv",
    "pairs": "base/pairs.csv",
    "split": "base/split.json",
    "gallery": "base/people.db",
    "coco": "base/coco.json",
    "picture": "data/3.png",
    "exported": "base/model.onnx",
}
"""An honest file of each kind, against which memory and time are measured."""


def all_attacks() -> list[Attack]:
    """Every hostile file."""
    makers = (checkpoint_attacks, configuration_attacks, document_attacks, other_attacks)
    return [attack for make in makers for attack in make()]


def chosen(
    kinds: Sequence[str] | None, name: str | None, short: bool, first: int = 0
) -> dict[int, Attack]:
    """Return the attacks to be tried, by their numbers.

    Args:
        kinds: Only of these kinds of files.
        name: Only those whose name holds this.
        short: Only the most telling.
        first: None with a lower number.
    """
    return {
        number: attack
        for number, attack in enumerate(all_attacks())
        if (not kinds or attack.kind in kinds)
        and (not name or name in attack.name)
        and (attack.telling or not short)
        and number >= first
    }


class Session:
    """One series of attacks.

    Args:
        folder: An empty folder.
        tools: Folder of the tools.
    """

    def __init__(self, folder: Path, tools: Path) -> None:
        self.world = make_world(folder, tools)
        _import_all()
        self.cache = folder / "logs" / "attacks"
        self.honest: dict[tuple[str, str], Outcome] = {}
        self.made: set[str] = set()
        self._make("checkpoint")

    def run(
        self, attacks: Mapping[int, Attack], short: bool, show: bool, minutes: float | None = None
    ) -> tuple[list[dict[str, Any]], int | None]:
        """Give attacks to their entries.

        Returns:
            A row for each pair, and the number of the first attack that wasn't begun when the time
            was over.
        """
        end = time.monotonic() + 60 * (minutes or float("inf"))
        rows = []
        for number, attack in attacks.items():
            if rows and time.monotonic() > end:
                return rows, number
            for entry in _readers(attack, short):
                row = self._row(attack, entry, number)
                rows.append(row)
                if show or row["faults"]:
                    _show(row)
        return rows, None

    def _row(self, attack: Attack, entry: Entry, number: int) -> dict[str, Any]:
        honest = self._honest(entry)
        made = self.cache / str(number)
        if not made.exists():
            made.mkdir(parents=True)
            self._forked(lambda: attack.write(made / f"file{attack.suffix}", self.world))
        self.world.refresh()
        shutil.copytree(made, self.world.attack, dirs_exist_ok=True)
        before = snapshot(self.world.root, WRITABLE)
        outcome = self._tried(entry, self.world.attack / f"file{attack.suffix}")
        after = snapshot(self.world.root, WRITABLE)
        wrong = faults(attack, outcome, honest, before, after, entry.reports)
        return dict(
            kind=attack.kind,
            attack=attack.name,
            entry=entry.name,
            ended="failed" if wrong else "refused" if outcome.code else "harmless",
            faults=wrong,
            code=outcome.code,
            cpu=round(outcome.cpu, 2),
            megabytes=round(outcome.memory / 2**20),
            last=_last_line(outcome.text),
        )

    def _honest(self, entry: Entry) -> Outcome:
        key = entry.kind, entry.name
        if key not in self.honest:
            self._make(entry.kind)
            self.world.refresh()
            honest = self.world.root / _HONEST[entry.kind]
            self.honest[key] = self._tried(entry, honest)
            if self.honest[key].code:
                text = self.honest[key].text[-3000:]
                raise RuntimeError(f"{entry.name} refuses an honest {entry.kind}:\n{text}")
        return self.honest[key]

    def _tried(self, entry: Entry, file: Path) -> Outcome:
        log = self.world.logs / "log"
        return run_forked(entry.action(self.world, file), log, self.world.cwd, MOST_CPU)

    def _forked(self, action: Any) -> None:
        outcome = run_forked(action, self.world.logs / "log", self.world.cwd, MOST_CPU)
        if outcome.code:
            raise RuntimeError(f"the world can't be made:\n{outcome.text[-3000:]}")

    def _make(self, kind: str) -> None:
        """Make the honest file of a kind with the package's own tools, once."""
        makers = {
            "checkpoint": self._train,
            "features": self._test,
            "results": self._test,
            "exported": self._export,
            "gallery": self._enroll,
        }
        maker = makers.get(kind)
        if maker is not None and maker.__name__ not in self.made:
            self.made.add(maker.__name__)
            maker()

    def _train(self) -> None:
        world, base = self.world, self.world.base
        self._tool("train", world.config, "--work-dir", world.work / "run")
        for name in ("iter_1.pth", "iter_2.pth"):
            shutil.copy(world.work / "run" / name, base / name)
        (base / "photos").mkdir()
        for number in (4, 5, 6):
            shutil.copy(world.data / f"{number}.png", base / "photos")
        (base / "pairs.csv").write_text(f"a,b\n{world.data}/1.png,{world.data}/2.png\n")
        (base / "split.json").write_text('{"format": "mmreid_ext-splits-1", "splits": [[1, 2]]}')
        (base / "coco.json").write_text(_COCO)

    def _test(self) -> None:
        world, base = self.world, self.world.base
        place = ("--work-dir", world.work / "run")
        features = ("--save-features", base / "features.npz", "--out", base / "results.json")
        self._tool("test", world.config, base / "iter_2.pth", *features, *place)
        other = ("--out", base / "other.json")
        self._tool("test", world.config, base / "iter_1.pth", *other, *place)

    def _export(self) -> None:
        place = self.world.work / "exported"
        self._tool("export", self.world.base / "iter_2.pth", "--out", place)
        shutil.copy(next(place.rglob("*.onnx")), self.world.base / "model.onnx")

    def _enroll(self) -> None:
        base = self.world.base
        add = ("gallery", "add", base / "people.db", base / "photos")
        self._tool(*add, "--model", base / "iter_2.pth")

    def _tool(self, name: str, *arguments: object) -> None:
        self._forked(lambda: run_script(self.world.tools, name, *arguments))


def _readers(attack: Attack, short: bool) -> Iterator[Entry]:
    for entry in entries():
        if entry.kind == attack.kind and (entry.telling or not short):
            yield entry


def _import_all() -> None:
    """Import what programs need, once; a fork has it."""
    import mmpretrain.models
    import torch

    import mmreid_ext.apis
    import mmreid_ext.cli.launch
    import mmreid_ext.cli.screen.screen
    import mmreid_ext.registry
    from mmreid_ext.config_files.registered import import_registered

    torch.set_num_threads(1)
    import_registered()
    _ = mmpretrain, mmreid_ext


def _last_line(text: str) -> str:
    found = re.findall(r"error: .*", text) or text.strip().split("\n")[-1:]
    return "".join(c if c.isprintable() else "?" for c in found[-1])[:300] if found else ""


def _show(row: dict[str, Any]) -> None:
    wrong = f"  {'; '.join(row['faults'])}" if row["faults"] else ""
    print(
        f"{row['ended']:9} {row['cpu']:5.1f} s {row['megabytes']:6} MB  {row['kind']}: "
        f"{row['attack']} -> {row['entry']}: {row['last']}{wrong}",
        flush=True,
    )


_COCO = (
    '{"images": ['
    + ", ".join(f'{{"id": {n}, "file_name": "{n}.png", "camera": "{n % 2}"}}' for n in range(16))
    + '], "annotations": ['
    + ", ".join(
        f'{{"id": {n}, "image_id": {n}, "bbox": [0, 0, 8, 16], "person_id": {n // 4}}}'
        for n in range(16)
    )
    + "]}"
)
