"""Train a configuration once per seed, test every run, and report all of them.

python tools/train_seeds.py configs/metabin_r18_synthetic.py --seeds 0 1 2
python tools/train_seeds.py CONFIG --seeds 0 1 2 --ranks 2 --cfg-options train_cfg.max_iters=1000

Each run has its folder WORK_DIR/seed_N with checkpoints, log and results.json. A second call skips
finished runs (unless --again is given) and resumes an interrupted one. It refuses runs of other
settings: they have no common mean. The table shows every seed, the mean and the deviation, so it
shows how often you trained before you chose the best.
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from mmreid_ext.cli.config import load_config
from mmreid_ext.cli.config_options import ConfigOptions
from mmreid_ext.cli.errors import run_tool
from mmreid_ext.errors import UserError
from mmreid_ext.evaluation.results.results_file import read_results, write_results
from mmreid_ext.evaluation.results.seed_runs import (
    REQUEST,
    check_one_experiment,
    check_requests,
    requested_settings,
    write_request,
)
from mmreid_ext.evaluation.results.seed_table import format_seed_table, seed_summary

TOOLS = Path(__file__).resolve().parent
OURS = ("--seed", "--work-dir", "--resume", "--cfg-options", "--out", "--launcher")
"""Options of the tools that this one sets itself."""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", help="configuration file")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--work-dir", type=Path, help="default: work_dirs/<config>_seeds")
    parser.add_argument(
        "--ranks", type=int, default=1, help="processes per run (tools/dist_train.sh)"
    )
    parser.add_argument("--cfg-options", nargs="+", default=[], metavar="KEY=VALUE")
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
    for tool in ("train", "test"):
        given = [a.partition("=")[0] for a in getattr(args, f"{tool}_args") if a.startswith("--")]
        clash = [o for o in OURS for a in given if len(a) > 3 and o.startswith(a)]
        if clash:
            parser.error(f"--{tool}-args holds {clash[0]}, which is set for every seed from here")
    if any(o.partition("=")[0] == "randomness.seed" for o in args.cfg_options):
        parser.error("--cfg-options sets randomness.seed, which is another one for every seed")
    if len(set(args.seeds)) < len(args.seeds):
        parser.error(f"--seeds names a seed twice: {args.seeds}")
    args.work_dir = args.work_dir or Path("work_dirs") / f"{Path(args.config).stem}_seeds"
    return args


def command(script: str, positional: list[str], ranks: int, options: list[str]) -> list[str]:
    """Command line of ``tools/<script>.py``, through ``dist_<script>.sh`` for several ranks."""
    if ranks > 1:
        return ["bash", str(TOOLS / f"dist_{script}.sh"), *positional, str(ranks), *options]
    return [sys.executable, str(TOOLS / f"{script}.py"), *positional, *options]


def settings_of(args: argparse.Namespace) -> tuple[dict, dict]:
    """Return the settings of every run apart from its seed, and the options among them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cfg-options", nargs="+", action=ConfigOptions)
    given = parser.parse_args(["--cfg-options", *args.cfg_options] if args.cfg_options else [])
    cfg = load_config(
        argparse.Namespace(
            config=args.config,
            cfg_options=given.cfg_options,
            launcher="none",
            seed=None,
            work_dir=str(args.work_dir),
        )
    )
    tools = {"--train-args": args.train_args, "--test-args": args.test_args}
    return requested_settings(cfg.to_dict(), **tools), given.cfg_options or {}


def run_seed(args: argparse.Namespace, seed: int, request: dict) -> Path:
    """Train and test one seed unless that was done before; returns its results file."""
    folder = args.work_dir / f"seed_{seed}"
    results, last = folder / "results.json", folder / "last_checkpoint"
    if results.exists():
        print(f"seed {seed}: {results} exists, not repeated")
        return results
    write_request(folder, request)
    common = ["--work-dir", str(folder)]
    if args.cfg_options:
        common += ["--cfg-options", *args.cfg_options]
    resume = ["--resume"] if last.exists() else []
    options = ["--seed", str(seed), *resume, *args.train_args, *common]
    subprocess.run(command("train", [args.config], args.ranks, options), check=True)
    checkpoint = folder / Path(last.read_text(encoding="utf-8").strip()).name
    options = ["--out", str(results), *args.test_args, *common]
    subprocess.run(command("test", [args.config, str(checkpoint)], args.ranks, options), check=True)
    return results


def delete_runs(folders: list[Path]) -> None:
    """Make way for runs that are to be done again; only folders of this tool are deleted."""
    for folder in folders:
        if any((folder / name).exists() for name in (REQUEST, "results.json", "last_checkpoint")):
            print(f"--again: {folder} is deleted")
            shutil.rmtree(folder)


def run(args: argparse.Namespace) -> None:
    request, cfg_options = settings_of(args)
    folders = {seed: args.work_dir / f"seed_{seed}" for seed in args.seeds}
    if args.again:
        delete_runs(list(folders.values()))
    check_requests(folders, request, cfg_options)
    try:
        files = {seed: run_seed(args, seed, request) for seed in args.seeds}
    except subprocess.CalledProcessError as error:
        command = " ".join(error.cmd)
        raise UserError(f"{command} ended with status {error.returncode}; see above.") from None
    documents = {seed: read_results(file) for seed, file in files.items()}
    for note in check_one_experiment(documents):
        print(f"Note: {note}")
    runs = {seed: document["metrics"] for seed, document in documents.items()}
    print(format_seed_table(runs))
    summary = args.work_dir / "seeds.json"
    write_results(summary, dict(config=args.config, runs=runs, summary=seed_summary(runs)))
    print(f"Written: {summary}. Compare two configurations with tools/compare.py --a … --b …")


def main() -> None:
    run_tool(
        lambda: run(parse_args()),
        instead_of_ranks="start it once, with --ranks for the number of processes of each run",
    )


if __name__ == "__main__":
    main()
