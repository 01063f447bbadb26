"""What one attempt of torchrun leaves to the next."""

import os
import subprocess
import sys
import time

import pytest

from mmreid_ext.stopping import attempts


@pytest.fixture(autouse=True)
def plain(monkeypatch):
    for name in list(os.environ):
        if name.startswith(("TORCHELASTIC", "SLURM_RESTART")) or name == attempts.BEGAN:
            monkeypatch.delenv(name)


@pytest.fixture
def torchrun(monkeypatch, tmp_path):
    """Make this process a rank of an attempt; call it with the attempt's number."""

    def be(number, of=2):
        rank = tmp_path / "run" / f"attempt_{number}" / "0"
        rank.mkdir(parents=True, exist_ok=True)
        monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
        monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", str(number))
        monkeypatch.setenv("TORCHELASTIC_MAX_RESTARTS", str(of))
        monkeypatch.setenv("TORCHELASTIC_ERROR_FILE", str(rank / "error.json"))
        return tmp_path / "run"

    return be


def test_attempts_are_counted(torchrun, monkeypatch):
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", "5")  # of nobody's
    assert attempts.restarts_before() == attempts.attempts_left() == 0
    torchrun(1, of=3)
    assert (attempts.elastic_restarts(), attempts.attempts_left()) == (1, 2)
    monkeypatch.setenv("SLURM_RESTART_COUNT", "4")
    assert (attempts.elastic_restarts(), attempts.restarts_before()) == (1, 4)


def test_the_first_verdict_reaches_the_next_attempt(torchrun):
    attempts.give_up(1, "outside of torchrun nothing is noted")
    folder = torchrun(0)
    assert attempts.verdict() is None
    attempts.give_up(1, "error: x=3")
    attempts.give_up(2, "a later one")
    torchrun(1)
    assert attempts.verdict() == attempts.verdict_in(folder) == (1, "error: x=3")
    assert sorted(p.name for p in folder.iterdir() if p.is_file()) == ["mmreid_ext_over.json"]


def test_a_damaged_verdict_is_none(torchrun):
    (torchrun(0) / "mmreid_ext_over.json").write_text("{")
    assert attempts.verdict() is None


def test_time_counts_from_the_first_attempt(torchrun, monkeypatch):
    torchrun(0)
    began = attempts.note_beginning()
    assert 0 <= time.time() - began < 3600
    torchrun(1)
    monkeypatch.setattr(attempts, "process_start", lambda: began + 100)
    assert attempts.note_beginning() == began
    monkeypatch.setenv(attempts.BEGAN, "12.5")  # tools/dist_train.sh knows better
    assert attempts.note_beginning() == 12.5


def test_a_process_knows_when_it_began():
    code = (
        "import time; time.sleep(0.5); from mmreid_ext.stopping.attempts import process_start; "
        "print(time.time() - process_start())"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    age = float(result.stdout)
    assert age < 60
    if sys.platform == "linux":
        assert age >= 0.4
