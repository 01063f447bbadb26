"""Train a configuration once per seed, test every run, and report all of them.

python tools/train_seeds.py configs/metabin_r18_synthetic.py --seeds 0 1 2
python tools/train_seeds.py CONFIG --seeds 0 1 2 --grid gate_lr=0.1,0.2,0.5 --jobs 2
python tools/train_seeds.py CONFIG --seeds 0 1 2 --ranks 2 --cfg-options train_cfg.max_iters=1000

Each run has its folder WORK_DIR/seed_N with checkpoints, log and results.json. A second call skips
finished runs (unless --again is given) and resumes an interrupted one. It refuses runs of other
settings: they have no common mean. The table shows every seed, the mean and the deviation, so it
shows how often you trained before you chose the best. With --grid, every setting has a folder of
such runs and a row in the table, and is compared with the configuration's own values.
"""

from __future__ import annotations

import argparse
import os
import shlex
from pathlib import Path

from mmreid_ext.cli.config_options import read_options
from mmreid_ext.cli.errors import run_tool
from mmreid_ext.cli.experiments.experiment import check_folders, plan_experiment
from mmreid_ext.cli.experiments.jobs import do_runs
from mmreid_ext.cli.experiments.places import (
    Place,
    available_cores,
    available_gpus,
    describe,
    share_out,
)
from mmreid_ext.cli.experiments.plan import Commands
from mmreid_ext.cli.experiments.report import report_grid, report_seeds
from mmreid_ext.errors import UserError
from mmreid_ext.shorten import shorten

TOOLS = Path(__file__).resolve().parent
OURS = ("--seed", "--work-dir", "--resume", "--cfg-options", "--out", "--launcher")
"""Options of the tools that this one sets itself."""


def say(text: str) -> None:
    print(text, flush=True)  # a pipe shows it before the run's own lines


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", help="configuration file")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--work-dir", type=Path, help="default: work_dirs/<config>_seeds or …_grid")
    parser.add_argument(
        "--grid",
        nargs="+",
        action="extend",
        default=[],
        metavar="KEY=VALUE,VALUE",
        help="try these values; the end of a key is enough where one key ends so; several keys: "
        "every combination",
    )
    parser.add_argument("--jobs", type=int, default=1, help="runs side by side (default: 1)")
    parser.add_argument(
        "--ranks", type=int, default=1, help="processes per run (tools/dist_train.sh)"
    )
    parser.add_argument(
        "--cfg-options", nargs="+", action="extend", default=[], metavar="KEY=VALUE"
    )
    for tool, example in (("train", "--amp --channels-last"), ("test", "--flip")):
        parser.add_argument(
            f"--{tool}-args",
            type=shlex.split,
            default=[],
            metavar="ARGS",
            help=f'arguments of tools/{tool}.py, with "=": --{tool}-args="{example}"',
        )
    parser.add_argument(
        "--again", action="store_true", help="delete finished and interrupted runs of these seeds"
    )
    args = parser.parse_args()
    check_arguments(parser, args)
    ending = "grid" if args.grid else "seeds"
    args.work_dir = args.work_dir or Path("work_dirs") / f"{Path(args.config).stem}_{ending}"
    return args


def check_arguments(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    for tool in ("train", "test"):
        given = [a.partition("=")[0] for a in getattr(args, f"{tool}_args") if a.startswith("--")]
        clash = [o for o in OURS for a in given if len(a) > 3 and o.startswith(a)]
        if clash:
            parser.error(f"--{tool}-args holds {clash[0]}, which is set for every seed from here")
    for option, items in (("--cfg-options", args.cfg_options), ("--grid", args.grid)):
        if any(item.partition("=")[0] in ("randomness.seed", "seed") for item in items):
            parser.error(f"{option} sets randomness.seed, which is another one for every seed")
    if len(set(args.seeds)) < len(args.seeds):
        parser.error(f"--seeds names a seed twice: {args.seeds}")
    for option in ("jobs", "ranks"):
        if getattr(args, option) < 1:
            parser.error(f"--{option} {getattr(args, option)}: at least 1 is needed")
    try:
        read_options(args.cfg_options)
    except UserError as error:
        parser.error(f"--cfg-options: {error}")


def run(args: argparse.Namespace) -> None:
    commands = Commands(TOOLS, args.config, args.ranks, args.train_args, args.test_args)
    plans, plain = plan_experiment(commands, args.work_dir, args.seeds, args.cfg_options, args.grid)
    check_folders(plans, args.again, say)
    runs = [run for plan in plans for run in plan.runs.values()]
    places = places_for(args, sum(not run.results.is_file() for run in runs))
    failed = do_runs(runs, places, bool(args.grid), say)
    if not args.grid:
        report_seeds(plans[0], args.config, say)
        return
    report_grid(plans, plain, args.config, args.work_dir, failed, say)
    if failed:
        raise UserError(
            f"{len(failed)} of {len(runs)} runs failed ({shorten(failed, '; ')}); mend what they "
            "say above, and give the same command again."
        )


def places_for(args: argparse.Namespace, runs: int) -> list[Place]:
    """Share out the machine over the runs that are left, and say how."""
    jobs = max(1, min(args.jobs, runs))
    gpus = available_gpus() if jobs > 1 else []
    places = share_out(jobs, args.ranks, available_cores(), gpus, os.environ)
    if jobs > 1:
        say(describe(places, args.ranks, gpus))
    return places


def main() -> None:
    run_tool(
        lambda: run(parse_args()),
        instead_of_ranks="start it once, with --ranks for the number of processes of each run",
    )


if __name__ == "__main__":
    main()
