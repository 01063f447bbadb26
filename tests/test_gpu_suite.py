"""The suite for a GPU runs on a CPU from end to end, and reports what is wrong."""

import importlib
import json
import sys
import time
from argparse import Namespace
from functools import partial
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from helpers.distributed import forking_context
from helpers.fake_accelerator import NAME, with_accelerator
from helpers.paths import TOOLS
from helpers.tools import load_script, run_tool
from torch.multiprocessing import start_processes

BENCHMARKS = TOOLS / "benchmarks"
NEVER = float("inf")


@pytest.fixture
def parts(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return lambda name: importlib.import_module(f"gpu_parts.{name}")


@pytest.fixture
def job(parts, tmp_path):
    return make_job(parts("device"), parts("job"), "cpu", tmp_path)


def make_job(device, job, name, folder):
    events = []
    made = job.Job(device.Device(name), True, False, NEVER, folder, events.append)
    made.events = events
    return made


def of_kind(job, kind):
    return [event for event in job.events if event["kind"] == kind]


@pytest.fixture
def forked(parts, monkeypatch):
    """Let what the suite starts be forked from a server that has imported everything.

    ``test_without_a_gpu_one_line_says_what_to_do`` starts a process as the suite does.
    """
    context = forking_context()
    instead = SimpleNamespace(get_context=lambda method: context)
    monkeypatch.setattr(parts("conductor"), "multiprocessing", instead)
    start = partial(start_processes, start_method="forkserver")
    monkeypatch.setattr(parts("ranks"), "spawn", start)


def run_suite(folder, monkeypatch, *names):
    """Run parts as a user does; return what they found, and the document."""
    options = ["--device", "cpu", "--toy", "--no-compile", "--minutes", "60"]
    options += ["--out", folder, "--only", *names]
    run_tool("benchmarks/gpu_suite", monkeypatch, *options)
    found = json.loads((folder / "gpu_suite.json").read_text())["parts"]
    assert list(found) == list(names)
    for name, part in found.items():
        assert part["state"] == "done", (name, part)
        assert part["errors"] == [], name
        assert part["checks"] or part["tables"], name
    text = (folder / "gpu_suite.md").read_text()
    assert str(folder) not in text, "a folder of this machine stands in the document"
    return found, text


@pytest.mark.slow
def test_parts_that_compute_at_toy_size(forked, monkeypatch, tmp_path):
    found, text = run_suite(tmp_path, monkeypatch, "equality", "ranking", "norms", "step", "loader")
    checked = [check["name"] for check in found["equality"]["checks"]]
    for case in ("BatchInstanceNorm2d, channels-last, bfloat16", "NPairsLoss", "metabin step"):
        assert any(case in name for name in checked)
    assert len(found["step"]["tables"]["Iterations"]) == 2 * 7
    assert "equalities, all hold." in text
    assert "| BatchInstanceNorm2d, NCHW | 0 | " in text
    assert any("it gives" in note for note in found["loader"]["notes"])


@pytest.mark.slow
def test_parts_that_train_at_toy_size(forked, monkeypatch, tmp_path):
    found, text = run_suite(tmp_path, monkeypatch, "resume", "training")
    plain, re_ranked = found["training"]["tables"]["Scores"]
    assert plain["iterations"] == 2 and 0 <= plain["mAP"] <= 100
    assert [plain["tested on"], re_ranked["tested on"]] == ["synthetic_4", "synthetic_4/rerank"]
    assert "that differ | 0 |" in text


@pytest.mark.slow
def test_two_ranks(forked, parts, job):
    parts("ranks").run(job)
    assert of_kind(job, "error") == []
    assert [check["equal"] for check in of_kind(job, "check")] == [True, True]


def test_one_gpu_has_no_two_ranks(parts, job, monkeypatch):
    monkeypatch.setattr(parts("device").Device, "count", lambda self: 1)
    parts("ranks").run(job)
    assert [event["text"] for event in job.events] == [
        "NCCL wants a GPU per rank, and there are 1."
    ]


def wrong_there(function, change):
    """Change what a function returns at its third call: after both of the CPU."""
    calls = count()

    def changed(*args, **kwargs):
        value = function(*args, **kwargs)
        return change(value) if next(calls) == 2 else value

    return changed


BREAKAGES = {
    "a value": lambda value: value * (1 + 1e-3),
    "not a number": lambda value: value * torch.nan,
    "another shape": lambda value: value[None],
}


@pytest.mark.parametrize("change", BREAKAGES.values(), ids=BREAKAGES)
def test_a_loss_that_differs_there_is_not_equal(parts, job, monkeypatch, change):
    equality, cases = parts("equality"), parts("equality_cases")
    loss = cases.losses.TripletMarginLoss
    equality.compare(job, "right", cases.loss(loss), ["float32"])
    monkeypatch.setattr(loss, "forward", wrong_there(loss.forward, change))
    equality.compare(job, "wrong", cases.loss(loss), ["float32"])
    assert [check["equal"] for check in of_kind(job, "check")] == [True, False]


def test_what_raises_is_not_equal(parts, job):
    def raising(place):
        raise RuntimeError("no kernel\nfor this")

    parts("equality").compare(job, "case", raising, ["float16"])
    (error,), (check,) = of_kind(job, "error"), of_kind(job, "check")
    assert error["text"] == "RuntimeError: no kernel for this"
    assert check["name"] == "case, float16" and not check["equal"]


def test_a_rank_that_differs_is_not_equal(parts, job, monkeypatch):
    equality = parts("equality")
    evaluate = equality.evaluate_retrieval
    calls = count()

    def other(**given):
        if next(calls) == 1:
            given["gallery_feats"] = given["gallery_feats"].flip(0)
        return evaluate(**given)

    monkeypatch.setattr(equality, "evaluate_retrieval", other)
    equality.compare_rankings(job, "ranking", None, "cosine")
    assert not any(check["equal"] for check in of_kind(job, "check"))


def test_bits_of_a_resumed_run(parts):
    same = parts("resume").same
    one = torch.tensor([1.0, torch.nan, 0.0])
    assert same(one, one.clone())
    assert not same(one, torch.tensor([1.0, torch.nan, -0.0]))
    assert not same(one, one.double())
    assert not same(one, one[None])
    state = {"state_dict": {"a": one}, "optimizer": [{"step": one}], "message_hub": {"b": one}}
    assert [name for name, _ in parts("resume").tensors_of(state)] == [
        "/state_dict/a",
        "/optimizer/0/step",
    ]


def on_the_accelerator(accelerator, folder):
    """Run on a device that knows places and types only: what of the suite is misplaced raises."""
    import mmengine.optim.optimizer.amp_optimizer_wrapper as amp_of_mmengine
    import mmengine.runner.amp

    sys.path.insert(0, str(BENCHMARKS))
    from gpu_parts import device, equality_cases, job, norms, step

    amp_of_mmengine.is_cuda_available = lambda: True
    amp_of_mmengine.GradScaler = lambda: torch.amp.GradScaler(NAME)
    mmengine.runner.amp.autocast = lambda dtype: torch.autocast(NAME, dtype)
    made = make_job(device, job, NAME, Path(folder))
    there = equality_cases.Place(NAME, torch.float32, torch.float32)
    equality_cases.gate_update(second_order=False)(there)
    norms.run(made)
    args = Namespace(**vars(step.TOY), device=NAME)
    steps = step.eager(args, "float16", made.device.precisions()["float16"], True)
    steps = [candidate for candidate in steps if candidate.name in ("published", "ours")][::2]
    for candidate in steps:
        with made.trying(candidate.name):
            candidate.build()()
    rows = [event["cells"]["type"] for event in of_kind(made, "row")]
    names = [candidate.name for candidate in steps]
    return [[e["name"] + e["text"] for e in of_kind(made, "error")], rows, names]


@pytest.mark.slow
def test_nothing_is_misplaced(tmp_path):
    errors, rows, steps = with_accelerator(on_the_accelerator, str(tmp_path))
    assert errors == []
    assert rows == ["float32", "bfloat16", "float16"] * 2
    assert steps == ["published", "ours"]


PART = """
TITLE, ABOUT = "A part", "What it does."
def run(job):
    job.row("Rows", a_cell=1.5, met=True)
    {}
"""
BODIES = {
    "unequal": "job.check('right', 0, 0); job.check('wrong', 0.1, 0.01)",
    "slow": "import time; time.sleep(600)",
    "raises": "raise ValueError('of the device')",
    "dies": "import os; os._exit(3)",
    "fine": "job.note('Reached.')",
}


@pytest.mark.slow
def test_the_suite_goes_on_and_reports(forked, parts, tmp_path, monkeypatch, capsys):
    for name, body in BODIES.items():
        (tmp_path / f"suite_{name}.py").write_text(PART.format(body))
    monkeypatch.syspath_prepend(str(tmp_path))
    tool = load_script(BENCHMARKS / "gpu_suite.py")
    weights = dict.fromkeys(BODIES, 100) | {"slow": 1}
    listed = {name: (f"suite_{name}", weight) for name, weight in weights.items()}
    monkeypatch.setattr(tool, "PARTS", listed)
    out = tmp_path / "out"
    arguments = ["--device", "cpu", "--toy", "--out", str(out), "--minutes", "10"]
    monkeypatch.setattr(sys, "argv", ["gpu_suite.py", *arguments])
    start = time.monotonic()
    with pytest.raises(SystemExit) as ended:
        tool.main()
    assert ended.value.code == 1
    assert time.monotonic() - start < 500, "the part that sleeps was not ended"
    assert "NOT EQUAL: wrong" in capsys.readouterr().out
    found = json.loads((out / "gpu_suite.json").read_text())
    states = {name: (part["state"], part["message"]) for name, part in found["parts"].items()}
    assert states == {
        "unequal": ("done", ""),
        "slow": ("ended", "overran its time and was ended"),
        "raises": ("failed", "ValueError: of the device"),
        "dies": ("failed", "ended by itself with code 3"),
        "fine": ("done", ""),
    }
    assert found["unequal"] == ["wrong"]
    rows = {name: len(part["tables"]["Rows"]) for name, part in found["parts"].items()}
    assert rows == dict.fromkeys(BODIES, 1), "rows before an end are lost"
    text = (out / "gpu_suite.md").read_text()
    assert "**1 of 2 equalities does not hold.**" in text
    assert "**1.0e-01** (limit 1.0e-02)" in text
    assert "| a cell | met |\n|---|---|\n| 1.5 | yes |" in text


@pytest.mark.slow
@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_one_line_says_what_to_do(parts, tmp_path, monkeypatch):
    tool = load_script(BENCHMARKS / "gpu_suite.py")
    monkeypatch.setattr(sys, "argv", ["gpu_suite.py", "--out", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        tool.main()
    message = str(ended.value.code).splitlines()[0]
    assert message.startswith("error: gpu_suite: device=cuda, but PyTorch")
    assert message.endswith("give --device cpu --toy to try the suite without one.")
