"""Say what one run is: where it lies, and which commands train and test it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmreid_ext.errors import UserError

RESULTS, LAST = "results.json", "last_checkpoint"


@dataclass(frozen=True)
class Commands:
    """What the runs of an experiment share.

    Args:
        tools: Folder of ``train.py`` and ``test.py``.
        config: Configuration file.
        ranks: Processes per run.
        train_args: Further arguments of ``train.py``.
        test_args: Further arguments of ``test.py``.
    """

    tools: Path
    config: str
    ranks: int = 1
    train_args: Sequence[str] = ()
    test_args: Sequence[str] = ()

    def of(self, script: str, positional: Sequence[str], options: Sequence[str]) -> list[str]:
        """Command line of ``<script>.py``, through ``dist_<script>.sh`` for several ranks."""
        if self.ranks > 1:
            start = ["bash", str(self.tools / f"dist_{script}.sh")]
            return [*start, *positional, str(self.ranks), *options]
        return [sys.executable, str(self.tools / f"{script}.py"), *positional, *options]


@dataclass(frozen=True)
class Run:
    """One training with its test.

    Args:
        title: What lines on the screen call it.
        seed: Its training seed.
        folder: Its work folder.
        options: ``KEY=VALUE`` laid over the configuration.
        request: Flat settings that it is asked for, to be recorded in its folder.
        commands: What it shares with other runs.
    """

    title: str
    seed: int
    folder: Path
    options: tuple[str, ...]
    request: Mapping[str, Any]
    commands: Commands

    @property
    def results(self) -> Path:
        """File that its test writes."""
        return self.folder / RESULTS

    def train(self) -> list[str]:
        """Command that begins the training, or resumes it where checkpoints are."""
        begun = (self.folder / LAST).is_file() or any(self.folder.glob("*.pth"))
        resume = ["--resume"] if begun else []
        options = ["--seed", str(self.seed), *resume, *self.commands.train_args, *self._common()]
        return self.commands.of("train", [self.commands.config], options)

    def test(self) -> list[str]:
        """Command that tests the last checkpoint.

        Raises:
            UserError: If the training left none.
        """
        last = self.folder / LAST
        if not last.is_file():
            raise UserError(
                f"{self.title}: the training left no checkpoint in {self.folder}, so nothing can "
                "be tested; let CheckpointHook save the last one (save_last=True)."
            )
        checkpoint = self.folder / Path(last.read_text(encoding="utf-8").strip()).name
        positional = [self.commands.config, str(checkpoint)]
        options = ["--out", str(self.results), *self.commands.test_args, *self._common()]
        return self.commands.of("test", positional, options)

    def _common(self) -> list[str]:
        options = ["--cfg-options", *self.options] if self.options else []
        return ["--work-dir", str(self.folder), *options]
