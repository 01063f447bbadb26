"""tools/evaluate.py and tools/compare.py as a user calls them."""

import json
import sys

import numpy as np
import pytest
import torch
from helpers.tools import load_tool, run_tool

from mmreid_ext.evaluation import EmbeddingSet, evaluate_set, read_results, save_features


@pytest.fixture
def call(monkeypatch, capsys):
    """Run a tool in this process and return what it printed."""

    def run(tool, *arguments):
        run_tool(tool, monkeypatch, *arguments)
        return capsys.readouterr().out

    return run


def images(seed=0, noise=1.0):
    rng = np.random.default_rng(seed)
    pids, camids = np.repeat(np.arange(15), 4), np.tile([0, 1, 0, 1], 15)
    centres = np.random.default_rng(99).normal(size=(15, 5))
    return EmbeddingSet(
        torch.tensor(centres[pids] + noise * rng.normal(size=(60, 5))),
        pids, camids, np.tile(["query", "gallery", "gallery", "gallery"], 15), ["ours"] * 60,
        [f"{i}.png" for i in range(60)],
    )  # fmt: skip


@pytest.fixture
def features(tmp_path):
    return save_features(tmp_path / "f.npz", images(), protocols=json.dumps({"ours": "no_camera"}))


def test_evaluate_uses_the_saved_protocol_and_writes_results(call, features, tmp_path):
    out = tmp_path / "r.json"
    text = call("evaluate", features, "--out", out)
    expected = evaluate_set(images(), "no_camera").metrics()
    document = read_results(out)
    assert document["metrics"] == {f"ours/{k}": pytest.approx(v) for k, v in expected.items()}
    assert f"{expected['mAP']:.2f}" in text and "(re-ranked)" in text
    assert document["settings"]["rerank"] == "auto"


def test_evaluate_options(call, features, tmp_path):
    out = tmp_path / "r.json"
    call(
        "evaluate", features, "--protocol", "camera", "--rerank", "k1=4", "lambda=0.5", "--out", out
    )
    expected = evaluate_set(images(), "camera", rerank=dict(k1=4, lambda_value=0.5)).metrics()
    assert read_results(out)["metrics"]["ours/rerank/mAP"] == pytest.approx(expected["rerank/mAP"])
    assert read_results(out)["metrics"]["ours/mAP"] == pytest.approx(expected["mAP"])
    spec = 'ours={"type": "camera", "ranks": [2]}'
    text = call("evaluate", features, "--no-rerank", "--protocol", spec)
    assert "(re-ranked)" not in text and " R2" in text and " R5" not in text


def test_evaluate_explains_mistakes(call, features, tmp_path):
    with pytest.raises(SystemExit, match="error: --rerank takes"):
        call("evaluate", features, "--rerank", "k7=1")
    with pytest.raises(SystemExit, match="error: Unknown evaluation protocol"):
        call("evaluate", features, "--protocol", "nonsense")
    with pytest.raises(SystemExit, match="error: .*missing.npz"):
        call("evaluate", tmp_path / "missing.npz")


def test_compare(call, tmp_path):
    files = []
    for index, noise in enumerate((1.5, 1.5, 0.3, 0.3)):
        features = save_features(tmp_path / f"{index}.npz", images(seed=index, noise=noise))
        files.append(tmp_path / f"{index}.json")
        call("evaluate", features, "--no-rerank", "--out", files[-1])
    text = call("compare", *files[:3], "--resamples", 500)
    assert text.count("\nB: ") == 2 and "training seeds not measured" in text
    out = tmp_path / "c.json"
    text = call("compare", "--a", *files[:2], "--b", *files[2:], "--resamples", 500, "--out", out)
    assert "B better beyond queries and seeds" in text
    (comparison,) = json.loads(out.read_text())["comparisons"]
    m_ap = comparison["test_sets"]["ours"]["plain"][0]
    means = [read_results(f)["metrics"]["ours/mAP"] for f in files]
    assert m_ap["a"] == pytest.approx(np.mean(means[:2]))
    assert m_ap["b"] == pytest.approx(np.mean(means[2:]))


@pytest.mark.parametrize(
    "arguments", [[], ["a.json"], ["--a", "a.json"], ["x.json", "--a", "a", "--b", "b"]]
)
def test_compare_usage(call, arguments):
    with pytest.raises(SystemExit) as error:
        call("compare", *arguments)
    assert error.value.code == 2


TRAIN = """
import pathlib, sys
folder = pathlib.Path(sys.argv[sys.argv.index("--work-dir") + 1])
folder.mkdir(parents=True, exist_ok=True)
with open(folder.parent / "calls", "a") as log:
    log.write(" ".join(sys.argv[1:]) + "\\n")
if "--fail" in sys.argv:
    sys.exit(3)
(folder / "last_checkpoint").write_text(str(folder / "iter_9.pth"))
"""
TEST = """
import json, pathlib, sys
out = pathlib.Path(sys.argv[sys.argv.index("--out") + 1])
assert sys.argv[2].endswith("iter_9.pth"), sys.argv
seed = int(out.parent.name.removeprefix("seed_"))
metrics = {"ours/mAP": 10.0 * seed}
document = dict(format="mmreid_ext-results-1", metrics=metrics, training=dict(seed=seed))
out.write_text(json.dumps(document))
"""


@pytest.fixture
def train_seeds(tmp_path, monkeypatch):
    """Call tools/train_seeds.py on seeds 1 and 2, with stand-ins for training and testing."""
    module = load_tool("train_seeds")
    monkeypatch.setattr(module, "TOOLS", tmp_path)
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "test.py").write_text(TEST)
    config = tmp_path / "c.py"
    config.write_text("train_cfg = dict(max_iters=4)\n")

    def call(*options):
        work = ["--work-dir", str(tmp_path / "work"), "--seeds", "1", "2"]
        monkeypatch.setattr(sys, "argv", ["train_seeds", str(config), *work, *options])
        module.main()
        return (tmp_path / "work" / "calls").read_text().splitlines()

    call.work, call.config = tmp_path / "work", config
    return call


def test_train_seeds(train_seeds, capfd):
    work = train_seeds.work
    options = ["--train-args=--amp --channels-last", "--cfg-options", "train_cfg.max_iters=1"]
    calls = train_seeds(*options)
    assert [line.split()[1:3] for line in calls] == [["--seed", s] for s in "12"]
    assert all("--amp --channels-last" in line for line in calls)
    assert all("--cfg-options train_cfg.max_iters=1" in line for line in calls)
    assert "15.00 ± 7.07" in capfd.readouterr().out
    summary = json.loads((work / "seeds.json").read_text())["summary"]
    assert summary["ours/mAP"]["num_seeds"] == 2

    (work / "seed_2" / "results.json").unlink()  # as if interrupted before the test
    calls = train_seeds(*options)
    assert len(calls) == 3 and "--resume" in calls[2], "seed 1 is not repeated, seed 2 resumed"

    calls = train_seeds(*options, "--again")
    assert len(calls) == 5 and "--resume" not in calls[4], "both anew, since it was asked for"

    with pytest.raises(SystemExit, match=r"--seed 1.*status 3"):
        train_seeds("--train-args=--fail", "--again")


@pytest.mark.parametrize(
    "options, key",
    [
        (["--cfg-options", "train_cfg.max_iters=1"], r"train_cfg\.max_iters = 4 / 1"),
        (["--train-args=--amp"], r"--train-args = \(not set\) / \['--amp'\]"),
        (["--test-args=--flip"], "--test-args"),
        ("edit", r"train_cfg\.max_iters = 4 / 7"),
    ],
)
def test_train_seeds_never_mixes_settings(train_seeds, options, key):
    calls = train_seeds()
    if options == "edit":
        train_seeds.config.write_text("train_cfg = dict(max_iters=7)\n")
        options = []
    (train_seeds.work / "seed_2" / "results.json").unlink()  # nothing is trained all the same
    with pytest.raises(SystemExit, match=f"seed 1 .*other settings.*{key}"):
        train_seeds(*options)
    assert len((train_seeds.work / "calls").read_text().splitlines()) == len(calls)
    train_seeds(*options, "--again")


def test_train_seeds_knows_finished_runs_of_an_earlier_version(train_seeds):
    train_seeds()
    (train_seeds.work / "seed_1" / "request.json").unlink()
    train_seeds()
    with pytest.raises(SystemExit, match=r"seed 1 .*train_cfg\.max_iters = \(not set\) / 4"):
        train_seeds("--cfg-options", "train_cfg.max_iters=4")


def test_train_seeds_reads_the_seed_from_the_checkpoint(train_seeds):
    train_seeds()
    path = train_seeds.work / "seed_2" / "results.json"
    path.write_text(path.read_text().replace('"seed": 2', '"seed": 1'))
    with pytest.raises(SystemExit, match="seed 2: its checkpoint was trained with the seed 1"):
        train_seeds()


@pytest.mark.parametrize(
    "part, first, second, key",
    [
        ("settings", dict(flip=False), dict(flip=True), "tested .*flip = False / True"),
        (
            "settings", dict(cfg_options={"a.b": 1}), dict(cfg_options={"a.b": 2}),
            r"tested .*cfg_options\.a\.b = 1 / 2",
        ),
        (
            "training", dict(config={"optim_wrapper.optimizer.lr": 0.1}),
            dict(config={"optim_wrapper.optimizer.lr": 0.2}), r"trained .*lr = 0\.1 / 0\.2",
        ),
        ("checkpoint", dict(sha256="aa"), dict(sha256="aa"), "one run given twice"),
    ],
)  # fmt: skip
def test_train_seeds_refuses_results_of_several_settings(train_seeds, part, first, second, key):
    train_seeds()
    for seed, value in ((1, first), (2, second)):
        path = train_seeds.work / f"seed_{seed}" / "results.json"
        document = json.loads(path.read_text())
        if part == "training":
            value = dict(value, seed=seed)
        scores = dict(plain=dict(ap=[0.1 * seed]), rerank=None)
        path.write_text(json.dumps(document | {part: value, "test_sets": {"ours": scores}}))
    with pytest.raises(SystemExit, match=key):
        train_seeds()


@pytest.mark.parametrize(
    "option",
    ["--train-args=--seed 5", "--train-args=--work-dir x", "--test-args=--cfg-options a=1"],
)
def test_train_seeds_keeps_what_it_sets_itself(train_seeds, option, capsys):
    with pytest.raises(SystemExit):
        train_seeds(option)
    assert "is set for every seed from here" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        train_seeds("--cfg-options", "randomness.seed=3")
    assert "randomness.seed" in capsys.readouterr().err


def test_a_grid_is_trained_and_reported(train_seeds, capfd):
    work = train_seeds.work
    options = ["--grid", "max_iters=4,8", "--jobs", "2"]
    scored = TEST.replace("10.0 * seed", "10.0 * seed + 5 * ('max_iters=8' in str(out))")
    (work.parent / "test.py").write_text(scored)
    deeper = TRAIN.replace('folder.parent / "calls"', 'folder.parents[1] / "calls"')
    (work.parent / "train.py").write_text(deeper)
    calls = train_seeds(*options)
    assert sorted(line.split()[2] for line in calls) == ["1", "1", "2", "2"]
    out = capfd.readouterr().out
    rows = {line.split()[1]: line for line in out.splitlines() if line.startswith("ours ")}
    assert "15.00 ± 7.07" in rows["max_iters=4"] and "20.00 ± 7.07" in rows["max_iters=8"]
    assert "2 runs side by side" in out
    written = json.loads((work / "grid.json").read_text())
    assert [s["name"] for s in written["settings"]] == ["max_iters=4", "max_iters=8"]

    (work / "max_iters=8" / "seed_2" / "results.json").unlink()
    calls = train_seeds(*options)
    assert len(calls) == 5 and "--resume" in calls[4] and "max_iters=8" in calls[4]

    with pytest.raises(SystemExit, match="4 of 4 runs failed"):
        train_seeds(*options, "--again", "--train-args=--fail")
    with pytest.raises(SystemExit):
        train_seeds("--jobs", "0")
