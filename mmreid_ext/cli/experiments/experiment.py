"""Plan the runs of an experiment, and read back what became of them."""

from __future__ import annotations

import shutil
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmreid_ext.cli.config import load_config
from mmreid_ext.cli.config_options import read_options
from mmreid_ext.errors import UserError
from mmreid_ext.evaluation.results.compared_runs import differing_settings
from mmreid_ext.evaluation.results.results_file import read_results
from mmreid_ext.evaluation.results.seed_runs import (
    REQUEST,
    check_one_experiment,
    check_requests,
    requested_settings,
)

from .grid import Setting, read_grid
from .plan import LAST, RESULTS, Commands, Run

if TYPE_CHECKING:  # heavy; --help stays quick
    from mmengine.config import Config


@dataclass(frozen=True)
class Plan:
    """The runs of one setting.

    Args:
        setting: The point of the grid.
        folder: Folder of its runs.
        request: What each run is asked for, apart from its seed.
        options: Options of all settings and of this one, as read.
        runs: Run by seed.
    """

    setting: Setting
    folder: Path
    request: Mapping[str, Any]
    options: Mapping[str, Any]
    runs: Mapping[int, Run]


def plan_experiment(
    commands: Commands, work_dir: Path, seeds: Sequence[int], options: Sequence[str], grid: list
) -> tuple[list[Plan], Mapping[str, Any]]:
    """Plan the runs of every setting, and check each setting as its training would.

    Args:
        commands: What the runs share.
        work_dir: Folder of the experiment.
        seeds: Training seeds.
        options: ``KEY=VALUE`` for all runs.
        grid: ``KEY=VALUE,VALUE`` each.

    Returns:
        The plans, and the request of the configuration without the grid.

    Raises:
        UserError: If a key or value can't be used, or if two settings train the same.
    """
    plain = _load(commands, options, work_dir)
    settings = read_grid(grid, plain.to_dict())
    tried = {option.partition("=")[0] for setting in settings for option in setting.options}
    repeated = tried & set(read_options(options))
    if repeated:
        raise UserError(f"{', '.join(repeated)}: --cfg-options and --grid set it; leave one out.")
    plans: list[Plan] = []
    for setting in settings:
        own = (*options, *setting.options)
        request = _request(commands, _load(commands, own, work_dir))
        for other in plans:
            if not differing_settings([other.request, request]):
                raise UserError(
                    f"--grid: {other.setting.name} and {setting.name} train the same, as seed, "
                    "folders, log and worker processes don't count; leave that key out."
                )
        folder = work_dir / setting.folder
        runs = {}
        for seed in seeds:
            title = f"{setting.name}, seed {seed}" if setting.name else f"seed {seed}"
            runs[seed] = Run(title, seed, folder / f"seed_{seed}", own, request, commands)
        plans.append(Plan(setting, folder, request, read_options(own), runs))
    return plans, _request(commands, plain)


def _load(commands: Commands, options: Sequence[str], work_dir: Path) -> Config:
    given = dict(cfg_options=read_options(options), launcher="none", seed=None)
    return load_config(Namespace(config=commands.config, work_dir=str(work_dir), **given))


def _request(commands: Commands, cfg: Config) -> dict[str, Any]:
    tools = {"--train-args": commands.train_args, "--test-args": commands.test_args}
    return requested_settings(cfg.to_dict(), **tools)


def check_folders(plans: Sequence[Plan], again: bool, say: Callable[[str], None]) -> None:
    """Delete earlier runs if that was asked for, and refuse those of other settings.

    Raises:
        UserError: Names the run, the settings and their values.
    """
    for plan in plans:
        folders = {seed: run.folder for seed, run in plan.runs.items()}
        for folder in folders.values() if again else ():
            if any((folder / name).exists() for name in (REQUEST, RESULTS, LAST)):
                say(f"--again: {folder} is deleted")
                shutil.rmtree(folder)
        check_requests(folders, plan.request, plan.options)


def read_runs(plan: Plan, say: Callable[[str], None]) -> dict[int, dict[str, Any]]:
    """Read the results of a setting's runs by seed, and check that they are of one training.

    Raises:
        UserError: If their checkpoints or tests record different settings or another seed.
    """
    documents = {seed: read_results(run.results) for seed, run in plan.runs.items()}
    for note in check_one_experiment(documents):
        say(f"Note: {plan.setting.name + ', ' if plan.setting.name else ''}{note}")
    return documents


def check_trainings(found: Mapping[str, Mapping[int, Mapping[str, Any]]]) -> None:
    """Refuse settings whose checkpoints record the same training.

    Args:
        found: Results by seed, by the name of the setting.

    Raises:
        UserError: Names two settings.
    """
    seen: dict[str, str] = {}
    for name, documents in found.items():
        for document in documents.values():
            mark = (document.get("training") or {}).get("fingerprint")
            if mark and seen.setdefault(mark, name) != name:
                raise UserError(
                    f"{seen[mark]} and {name}: their checkpoints record the same training, so the "
                    "grid had no effect on it. An argument in --train-args may override its key."
                )
