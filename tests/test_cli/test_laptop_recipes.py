"""tools/benchmarks/laptop_recipes.sh: every recipe from both starts, then the comparisons."""

import subprocess

import pytest
from helpers.commands import check
from helpers.paths import TOOLS

SCRIPT = TOOLS / "benchmarks" / "laptop_recipes.sh"
RECIPES = ("bn", "metabin", "strong_baseline")


@pytest.fixture
def started(tmp_path, monkeypatch):
    """Run the script with a Python that only notes what it is asked for."""
    stub, log = tmp_path / "python", tmp_path / "log"
    stub.write_text(f'#!/bin/sh\necho "$@" >> {log}\necho verdict\n')
    stub.chmod(0o755)
    monkeypatch.setenv("PYTHON", str(stub))
    monkeypatch.setenv("JOBS", "1")

    def start(*words):
        done = subprocess.run(
            ["bash", str(SCRIPT), *words], capture_output=True, text=True, cwd=tmp_path
        )
        asked = log.read_text().replace(f"{TOOLS.parent}/", "").splitlines() if log.exists() else []
        return done, [line for line in asked if "get_imagenet" not in line]

    return start


def test_it_trains_and_compares(started, tmp_path):
    done, asked = started("out", "3", "4")
    assert done.returncode == 0, done.stderr
    trainings, comparisons = asked[:6], asked[6:]
    assert [line.split(" --work-dir ")[1].split()[0] for line in trainings] == [
        f"out/{start}/{recipe}" for start in ("imagenet", "scratch") for recipe in RECIPES
    ]
    assert all("--seeds 3 4 --jobs 1" in line for line in trainings)
    assert all("init_cfg=None" in line for line in trainings[3:])
    for line in asked:
        check(line)
    sides = "--a out/scratch/bn/seed_3/results.json out/scratch/bn/seed_4/results.json --b "
    assert sum(sides in line for line in comparisons) == 3
    assert len(comparisons) == 7
    assert (tmp_path / "out" / "verdicts.txt").read_text() == 7 * "verdict\n"


def test_seeds_that_are_none(started):
    done, asked = started("out", "three")
    assert done.returncode == 2 and not asked
    assert "seeds must be whole numbers, got 'three'" in done.stderr
