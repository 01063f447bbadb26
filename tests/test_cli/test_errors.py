"""What a command line shows of an error, and its exit code."""

import errno
import os
import subprocess
import sys

import pytest
from helpers.paths import ROOT

from mmreid_ext import errors
from mmreid_ext.checkpoint.safe_load import UnsafeCheckpointError
from mmreid_ext.cli.errors import run_tool, user_message
from mmreid_ext.errors import UserError

USER_ERRORS = [kind for kind in vars(errors).values() if isinstance(kind, type)]
USER_ERRORS = [kind for kind in USER_ERRORS if issubclass(kind, UserError)]


@pytest.fixture(autouse=True)
def one_process(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "TORCHELASTIC_ERROR_FILE", "MMREID_TRACEBACK"):
        monkeypatch.delenv(name, raising=False)


def raising(error):
    def main():
        raise error

    return main


@pytest.mark.parametrize("kind", [*USER_ERRORS, UnsafeCheckpointError], ids=lambda x: x.__name__)
def test_what_the_user_can_mend_is_one_line(kind):
    with pytest.raises(SystemExit, match="error: x=3, take 2") as caught:
        run_tool(raising(kind("x=3, take 2")))
    assert caught.value.code != 2


@pytest.mark.parametrize(
    "bug",
    [ValueError("cannot reshape"), TypeError("x"), KeyError("x"), ImportError("x"), OSError("x")],
    ids=repr,
)
def test_a_bug_keeps_its_traceback(bug):
    with pytest.raises(type(bug)) as caught:
        run_tool(raising(bug))
    assert caught.value is bug


def test_a_tool_chooses_its_codes(capsys):
    with pytest.raises(SystemExit) as ended:
        run_tool(raising(UserError("x=3, take 2")), code=2)
    assert ended.value.code == 2 and "error: x=3, take 2" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        run_tool(lambda: 1)
    assert ended.value.code == 1
    for nothing in (0, None):
        run_tool(lambda value=nothing: value)


def test_traceback_on_request(monkeypatch):
    monkeypatch.setenv("MMREID_TRACEBACK", "1")
    with pytest.raises(UserError):
        run_tool(raising(UserError("x")))


def test_interrupt_has_the_shells_exit_code():
    with pytest.raises(SystemExit) as caught:
        run_tool(raising(KeyboardInterrupt()))
    assert caught.value.code == 130


@pytest.mark.parametrize("buffering", ["", "1"])
def test_a_reader_that_leaves_ends_a_tool_quietly(buffering):
    """As in ``tools/compare.py … | head``, whether Python collects the output or not."""
    code = (
        "import sys; from mmreid_ext.cli.errors import run_tool; sys.stdin.read(1)\n"
        "run_tool(lambda: print('a line'))"
    )
    pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    env = dict(os.environ, PYTHONUNBUFFERED=buffering)
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=env, **pipes) as tool:
        tool.stdout.close()
        tool.stdin.write(b"x")
        tool.stdin.close()
        said = tool.stderr.read()
    assert (tool.returncode, said) == (141, b"")


@pytest.mark.parametrize("number", [errno.EACCES, errno.ENOSPC, errno.EROFS])
def test_the_systems_refusals_name_the_place(number):
    error = OSError(number, "whatever", "/there/log.txt")
    assert user_message(error) == f"{os.strerror(number)}: /there/log.txt"


def test_errors_of_loading_processes_lose_pytorchs_wrapping():
    wrapped = UserError(
        "Caught UserError in DataLoader worker process 0.\nOriginal Traceback (most recent call "
        "last):\n  File x\nmmreid_ext.errors.UserError: a.jpg: cut off; copy it again.\n"
    )
    assert user_message(wrapped) == "a.jpg: cut off; copy it again."


TWO_RANKS = """
import os, sys, time
from mmreid_ext.cli.errors import run_tool
from mmreid_ext.errors import UserError
def main():
    if sys.argv[1] == "bug":
        raise ZeroDivisionError("x=3, take 2")
    if os.environ["RANK"] == "1":
        raise UserError("x=3, take 2")
    time.sleep(60)
run_tool(main)
"""


@pytest.mark.parametrize("case", ["bug", "one"])  # an error of both: test_started_again.py
@pytest.mark.slow
def test_several_ranks_say_it_once_and_last(case, tmp_path):
    script = tmp_path / "tool.py"
    script.write_text(TWO_RANKS)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    result = subprocess.run(
        [*command, "--nproc-per-node", "2", str(script), case],
        env=dict(os.environ, PYTHONPATH=str(ROOT), OMP_NUM_THREADS="1"),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 1
    said = result.stderr + result.stdout
    wanted = "ZeroDivisionError: x=3, take 2" if case == "bug" else "error: x=3, take 2"
    assert said.count(wanted) == 1, said
    assert said.index(wanted) > said.index("tool.py FAILED")


def test_opencv_says_nothing_of_its_own(tmp_path):
    code = (
        "from mmreid_ext.cli.errors import run_tool\n"
        "def main():\n"
        "    import cv2, numpy\n"
        "    assert cv2.imdecode(numpy.frombuffer(b'hello', numpy.uint8), 1) is None\n"
        "run_tool(main)\n"
    )
    environment = {k: v for k, v in os.environ.items() if k != "OPENCV_LOG_LEVEL"}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert (run.returncode, run.stderr) == (0, "")


def test_what_a_file_says_does_not_reach_the_terminal_as_it_is():
    text = f"name='\x1b[2J\x07', take another\nline {'x' * 100_000} end"
    with pytest.raises(SystemExit) as caught:
        run_tool(raising(UserError(text)))
    shown = caught.value.code
    assert "\x1b" not in shown and "take another\nline" in shown and len(shown) < 3200
    assert "x end\n(MMREID_TRACEBACK" in shown


def test_settings_that_another_package_refuses_are_one_line():
    from mmengine.registry import MODELS

    with pytest.raises(SystemExit) as caught:
        run_tool(lambda: MODELS.build(dict(type="mmreid_ext.LabelSmoothingLoss", epsilonn=1)))
    assert "LabelSmoothingLoss takes no 'epsilonn' (did you mean 'epsilon'?)" in caught.value.code
