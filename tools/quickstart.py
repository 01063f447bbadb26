"""Train MetaBIN and plain batch norm on synthetic domains, and test both on an unseen one.

bash tools/quickstart.sh      # installs first; no data set, no GPU
python tools/quickstart.py    # the same in an environment of your own

Prints one table and writes ranked lists of the unseen domain to work_dirs/quickstart. Each stage
leaves a stamp of its inputs. A second call skips finished stages, resumes an interrupted training
and repeats a stage whose configuration changed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

from mmreid_ext.cli.errors import run_tool
from mmreid_ext.errors import UserError
from mmreid_ext.evaluation.results.results_file import read_results
from mmreid_ext.evaluation.results.table import text_table
from mmreid_ext.output_files.atomic import atomic_write

TOOLS = Path(__file__).resolve().parent
METHODS = {"MetaBIN": "metabin_r18_synthetic.py", "BatchNorm": "bn_r18_synthetic.py"}
DOMAINS = 5  # the configurations train on all but the last one
FEWEST_IDS = 4  # half of them train, half are tested: fewer leave nobody to tell apart
INSTANCES, LARGEST_BATCH = 4, 64  # of both samplers of the configurations
COLUMNS = ("R1", "R5", "mAP", "mINP")


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work-dir", type=Path, default=TOOLS.parent / "work_dirs" / "quickstart")
    parser.add_argument(
        "--ids", type=int, default=100, help=f"identities per domain, at least {FEWEST_IDS} (100)"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--cfg-options", nargs="+", default=[], metavar="KEY=VALUE", help="passed to train and test"
    )
    args = parser.parse_args()
    if args.ids < FEWEST_IDS:
        parser.error(f"--ids {args.ids}: at least {FEWEST_IDS}, half of them train")
    return args


class Stage:
    """One step with a stamp: done if the stamp names the same inputs and the outputs are there.

    Args:
        title: What the user reads.
        stamp: File that remembers the inputs.
        inputs: Everything that decides the outcome, as text.
        outputs: Files that prove it.
    """

    def __init__(self, title: str, stamp: Path, inputs: list[str], outputs: list[Path]) -> None:
        self.title, self.stamp, self.outputs = title, stamp, outputs
        self.key = hashlib.sha256("\0".join(inputs).encode()).hexdigest()

    @property
    def done(self) -> bool:
        """Whether the same inputs went through this stage to its end."""
        return self._stamped("done") and all(path.exists() for path in self.outputs)

    @property
    def interrupted(self) -> bool:
        """Whether the same inputs entered this stage, which then did not finish."""
        return self._stamped("begun")

    def _stamped(self, state: str) -> bool:
        return self.stamp.is_file() and self.stamp.read_text() == f"{state} {self.key}"

    def run(self, *command: str | Path) -> None:
        """Run a command of ours unless the stage is done; its output goes to the terminal."""
        if self.done:
            print(f"== {self.title}: done before, in {self.stamp.parent}", flush=True)
            return
        print(f"== {self.title}\n   {shlex.join(map(str, command))}", flush=True)
        start = time.perf_counter()
        self.stamp.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(self.stamp, f"begun {self.key}".encode())
        status = subprocess.run([sys.executable, *map(str, command)]).returncode
        missing = [str(path) for path in self.outputs if not path.exists()]
        if status or missing:
            reason = f"exit status {status}" if status else f"{', '.join(missing)} is missing"
            raise UserError(f"{self.title} failed ({reason}); what went wrong is printed above.")
        atomic_write(self.stamp, f"done {self.key}".encode())
        print(f"== {self.title}: {time.perf_counter() - start:.0f} s", flush=True)


def make_data(args: argparse.Namespace) -> Stage:
    folder = args.work_dir / "data" / "synthetic"
    inputs = ["data", str(args.ids), str(args.seed)]
    stage = Stage("Synthetic domains", folder.parent / "stamp", inputs, [folder / "manifest.json"])
    if not stage.done:
        shutil.rmtree(folder, ignore_errors=True)
    options = ["--domains", str(DOMAINS), "--ids", str(args.ids), "--seed", str(args.seed)]
    stage.run(TOOLS / "make_synthetic.py", "--out", folder, *options)
    return stage


def train(args: argparse.Namespace, method: str, data: Stage) -> tuple[Stage, Path]:
    """Train one of the two; returns its stage and its last checkpoint."""
    from mmengine.config import Config  # heavy; --help stays quick

    config, folder = config_path(METHODS[method]), args.work_dir / method.lower()
    text = Config.fromfile(config).pretty_text
    inputs = [data.key, text, str(args.seed), *cfg_options(args, method)]
    last = folder / "last_checkpoint"
    stage = Stage(f"Training {method}", folder / "stamp", inputs, [last])
    options = ["--work-dir", str(folder), "--seed", str(args.seed), *cfg_options(args, method)]
    if stage.interrupted and last.exists():
        options.append("--resume")
    elif not stage.done:
        shutil.rmtree(folder, ignore_errors=True)
    stage.run(TOOLS / "train.py", config, *options)
    return stage, folder / Path(last.read_text().strip()).name


def test(args: argparse.Namespace, method: str, trained: Stage, checkpoint: Path) -> Stage:
    folder = args.work_dir / method.lower() / "test"
    outputs = [folder / "results.json", folder / "features.npz"]
    stage = Stage(f"Testing {method}", folder / "stamp", [trained.key, "test"], outputs)
    options = ["--rerank", "--out", outputs[0], "--save-features", outputs[1]]
    options += ["--work-dir", str(folder), *cfg_options(args, method)]
    stage.run(TOOLS / "test.py", config_path(METHODS[method]), checkpoint, *options)
    return stage


def picture(args: argparse.Namespace, method: str, tested: Stage) -> list[Path]:
    """Draw the ranked lists, and return the pictures."""
    folder = args.work_dir / method.lower() / "ranked_lists"
    stage = Stage(f"Pictures of {method}", folder / "stamp", [tested.key, "pictures"], [])
    if not any(folder.rglob("ranked_list.png")):
        stage.stamp.unlink(missing_ok=True)
    stage.run(TOOLS / "visualize_ranks.py", tested.outputs[1], "--out-dir", folder)
    return sorted(folder.rglob("ranked_list.png"))


def config_path(name: str) -> Path:
    return TOOLS.parent / "configs" / name


def cfg_options(args: argparse.Namespace, method: str) -> list[str]:
    """The number of identities, batches that it can fill, then what the user says."""
    ids = (args.ids + 1) // 2  # of a domain, for training
    sources = DOMAINS - 1
    options = [f"model.head.num_classes={sources * ids}"]
    batch = min(LARGEST_BATCH, sources * ids * INSTANCES)
    if batch < LARGEST_BATCH:
        options.append(f"train_dataloader.batch_size={batch}")
        if method == "MetaBIN":
            options.append(f"train_cfg.meta_dataloader.batch_size={batch}")
    return ["--cfg-options", *options, *args.cfg_options]


def format_table(results: dict[str, Path]) -> str:
    """One row per method and test set, a second one re-ranked."""
    rows: list[tuple[str, ...]] = [("data set", "method", *COLUMNS)]
    for method, path in results.items():
        document = read_results(path)
        for name, test_set in document["test_sets"].items():
            rows.append(_row(document["metrics"], name, method, f"{name}/"))
            if test_set["rerank"] is not None:
                title = f"{method} + re-ranking"
                rows.append(_row(document["metrics"], name, title, f"{name}/rerank/"))
    return text_table(rows, left=2)


def _row(metrics: dict[str, float], name: str, method: str, prefix: str) -> tuple[str, ...]:
    return (name, method, *(f"{metrics[prefix + column]:.2f}" for column in COLUMNS))


def run(args: argparse.Namespace) -> None:
    args.work_dir = args.work_dir.resolve()
    os.environ["MMREID_DATA_ROOT"] = str(args.work_dir / "data")
    start = time.perf_counter()
    data = make_data(args)
    results, pictures = {}, []
    for method in METHODS:
        tested = test(args, method, *train(args, method, data))
        results[method] = tested.outputs[0]
        pictures += picture(args, method, tested)
    table = format_table(results)
    atomic_write(args.work_dir / "table.txt", f"{table}\n".encode())
    print(f"\nThe unseen domain, in percent ({time.perf_counter() - start:.0f} s)\n\n{table}\n")
    print("Ranked lists: " + "\n              ".join(map(str, pictures)))


def main() -> None:
    run_tool(lambda: run(parse_args()))


if __name__ == "__main__":
    main()
