"""tools/evaluate.py and tools/compare.py as a user calls them."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from mmreid_ext.evaluation import EmbeddingSet, evaluate_set, read_results, save_features

ROOT = Path(__file__).parents[2]


@pytest.fixture
def call(monkeypatch, capsys):
    """Run a tool in this process and return what it printed."""

    def run(tool, *arguments):
        spec = importlib.util.spec_from_file_location(tool, ROOT / "tools" / f"{tool}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        monkeypatch.setattr(sys, "argv", [tool, *map(str, arguments)])
        module.main()
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
metrics = {"ours/mAP": 10.0 * int(out.parent.name.removeprefix("seed_"))}
out.write_text(json.dumps(dict(format="mmreid_ext-results-1", metrics=metrics)))
"""


def test_train_seeds(tmp_path, monkeypatch, capfd):
    path = ROOT / "tools" / "train_seeds.py"
    spec = importlib.util.spec_from_file_location("train_seeds", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "TOOLS", tmp_path)
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "test.py").write_text(TEST)
    work = tmp_path / "work"
    arguments = ["train_seeds", "c.py", "--work-dir", str(work), "--seeds", "1", "2"]
    options = ["--train-args=--amp --channels-last", "--cfg-options", "a.b=1"]
    monkeypatch.setattr(sys, "argv", arguments + options)
    module.main()
    calls = (work / "calls").read_text().splitlines()
    assert [line.split()[:3] for line in calls] == [["c.py", "--seed", s] for s in "12"]
    assert all("--amp --channels-last" in line for line in calls)
    assert all("--cfg-options a.b=1" in line for line in calls)
    assert "15.00 ± 7.07" in capfd.readouterr().out
    summary = json.loads((work / "seeds.json").read_text())["summary"]
    assert summary["ours/mAP"]["num_seeds"] == 2

    (work / "seed_2" / "results.json").unlink()  # as if interrupted before the test
    module.main()
    calls = (work / "calls").read_text().splitlines()
    assert len(calls) == 3 and "--resume" in calls[2], "seed 1 is not repeated, seed 2 resumed"

    (work / "seed_1" / "results.json").unlink()
    monkeypatch.setattr(sys, "argv", [*arguments, "--train-args=--fail"])
    with pytest.raises(SystemExit, match="c.py --seed 1.*status 3"):
        module.main()
