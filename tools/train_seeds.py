"""Train a configuration once per seed, test every run, and report all of them.

python tools/train_seeds.py configs/metabin_r18_synthetic.py --seeds 0 1 2
python tools/train_seeds.py CONFIG --seeds 0 1 2 --ranks 2 --cfg-options train_cfg.max_iters=1000

Each run has its folder WORK_DIR/seed_N with checkpoints, log and results.json. A finished run is
not repeated, an interrupted one is resumed. The table shows every seed, the mean and the deviation:
nobody has to guess how often somebody trained before choosing the best.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from pathlib import Path

from mmreid_ext.cli.errors import run_tool
from mmreid_ext.errors import UserError
from mmreid_ext.evaluation.report import read_results, write_results
from mmreid_ext.evaluation.seed_table import format_seed_table, seed_summary

TOOLS = Path(__file__).resolve().parent


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
    args = parser.parse_args()
    if len(set(args.seeds)) < len(args.seeds):
        parser.error(f"--seeds names a seed twice: {args.seeds}")
    args.work_dir = args.work_dir or Path("work_dirs") / f"{Path(args.config).stem}_seeds"
    return args


def command(script: str, positional: list[str], ranks: int, options: list[str]) -> list[str]:
    """Command line of ``tools/<script>.py``, through ``dist_<script>.sh`` for several ranks."""
    if ranks > 1:
        return ["bash", str(TOOLS / f"dist_{script}.sh"), *positional, str(ranks), *options]
    return [sys.executable, str(TOOLS / f"{script}.py"), *positional, *options]


def run_seed(args: argparse.Namespace, seed: int) -> Path:
    """Train and test one seed unless that was done before; returns its results file."""
    folder = args.work_dir / f"seed_{seed}"
    results = folder / "results.json"
    if results.exists():
        print(f"seed {seed}: {results} exists, not repeated")
        return results
    common = ["--work-dir", str(folder)]
    if args.cfg_options:
        common += ["--cfg-options", *args.cfg_options]
    resume = ["--resume"] if (folder / "last_checkpoint").exists() else []
    options = ["--seed", str(seed), *resume, *args.train_args, *common]
    subprocess.run(command("train", [args.config], args.ranks, options), check=True)
    checkpoint = (folder / "last_checkpoint").read_text(encoding="utf-8").strip()
    options = ["--out", str(results), *args.test_args, *common]
    subprocess.run(command("test", [args.config, checkpoint], args.ranks, options), check=True)
    return results


def run(args: argparse.Namespace) -> None:
    try:
        files = {seed: run_seed(args, seed) for seed in args.seeds}
    except subprocess.CalledProcessError as error:
        command = " ".join(error.cmd)
        raise UserError(f"{command} ended with status {error.returncode}; see above.") from None
    runs = {seed: read_results(file)["metrics"] for seed, file in files.items()}
    print(format_seed_table(runs))
    summary = args.work_dir / "seeds.json"
    write_results(summary, dict(config=args.config, runs=runs, summary=seed_summary(runs)))
    print(f"Written: {summary}. Compare two configurations with tools/compare.py --a … --b …")


def main() -> None:
    run_tool(lambda: run(parse_args()))


if __name__ == "__main__":
    main()
