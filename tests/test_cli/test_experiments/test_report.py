"""What is shown and written of an experiment."""

import json
from pathlib import Path

import pytest

from mmreid_ext.cli.experiments.experiment import Plan
from mmreid_ext.cli.experiments.grid import Setting
from mmreid_ext.cli.experiments.plan import Commands, Run
from mmreid_ext.cli.experiments.report import report_grid, report_seeds
from mmreid_ext.evaluation.results.results_file import RESULTS_FORMAT, write_results


def results_of(name, seed, ap):
    queries = dict(name=["q0", "q1", "q2"], pid=[0, 1, 2], camid=[0, 0, 0])
    scores = [ap, ap + 0.01 * seed, ap - 0.02]
    test_set = dict(
        protocol={}, queries=queries, rerank=None, num_gallery=3, data=None,
        plain=dict(ap=scores, top1=[1, 1, 0], mAP=sum(scores) / 3),
    )  # fmt: skip
    training = dict(seed=seed, fingerprint=f"mark of {name}", config=dict(lr=name))
    return dict(
        format=RESULTS_FORMAT, metrics={"ours/mAP": 100 * sum(scores) / 3}, training=training,
        test_sets=dict(ours=test_set), checkpoint=dict(sha256=f"{name} {seed}"),
    )  # fmt: skip


@pytest.fixture
def plan_of(tmp_path):
    def plan(name, ap, seeds=(0, 1)):
        folder = tmp_path / name
        runs = {
            seed: Run(
                f"{name}, seed {seed}", seed, folder / f"seed_{seed}", (), {}, Commands(Path(), "c")
            )
            for seed in (0, 1)
        }
        for seed in seeds:
            write_results(runs[seed].results, results_of(name, seed, ap))
        return Plan(Setting(name, (f"a.{name}",), name), folder, {"lr": name}, {}, runs)

    return plan


def report(tmp_path, plans, plain, failed=()):
    said = []
    report_grid(plans, plain, "c.py", tmp_path, dict.fromkeys(failed, "why"), said.append)
    return "\n".join(said), json.loads((tmp_path / "grid.json").read_text())


def test_seeds_of_one_setting(plan_of):
    said = []
    plan = plan_of("lr=1", 0.5)
    report_seeds(plan, "c.py", said.append)
    assert "mean ± std" in said[0] and "Compare two configurations" in said[1]
    written = json.loads((plan.folder / "seeds.json").read_text())
    assert written["fingerprint"] == "mark of lr=1" and set(written["runs"]) == {"0", "1"}
    assert written["summary"]["ours/mAP"]["num_seeds"] == 2


def test_the_baseline_is_the_configuration_where_the_grid_holds_it(plan_of, tmp_path):
    plans = [plan_of("lr=1", 0.5), plan_of("lr=2", 0.7)]
    text, written = report(tmp_path, plans, {"lr": "lr=2"})
    assert "Against lr=2 (the configuration's own values" in text
    assert written["baseline"] == "lr=2" and list(written["comparisons"]) == ["lr=1: ours"]
    (measured, _) = written["comparisons"]["lr=1: ours"]["plain"]
    assert measured["measure"] == "mAP" and measured["b"] - measured["a"] == pytest.approx(-20)
    assert [entry["fingerprint"] for entry in written["settings"]] == [
        "mark of lr=1", "mark of lr=2",
    ]  # fmt: skip
    assert (plans[0].folder / "seeds.json").is_file()
    text, written = report(tmp_path, plans, {"lr": 3})
    assert "Against lr=1 (the first setting" in text and written["baseline"] == "lr=1"
    assert "partly luck" in text


def test_a_setting_with_a_failed_run_has_no_mean(plan_of, tmp_path):
    plans = [plan_of("lr=1", 0.5), plan_of("lr=2", 0.7), plan_of("lr=9", 0.9, seeds=[1])]
    text, written = report(tmp_path, plans, {}, failed=["lr=9, seed 0"])
    (row,) = [line for line in text.splitlines() if line.startswith("ours") and "failed" in line]
    assert row.split() == ["ours", "lr=9", "failed:", "seed", "0"]
    assert list(written["comparisons"]) == ["lr=2: ours"], "nor is it compared"
    last = written["settings"][2]
    assert (last["problem"], last["runs"], last["summary"]) == ("failed: seed 0", {}, {})


def test_a_failed_baseline_is_said(plan_of, tmp_path):
    plans = [plan_of("lr=1", 0.5, seeds=[]), plan_of("lr=2", 0.7)]
    text, written = report(tmp_path, plans, {}, failed=["lr=1, seed 0", "lr=1, seed 1"])
    assert "Not compared: the baseline lr=1 failed." in text and written["comparisons"] == {}
