"""Short forms of tools/stress/fuzz.py, and what it does about faults of every kind."""

import json
import pathlib
import subprocess
import sys
import time

import numpy as np
import pytest
from helpers.paths import ROOT, TOOLS
from helpers.tools import load_tool

CASES = dict(samplers=150, ranking=70, reranking=60, protocols=70, readers=300, pictures=500)


@pytest.fixture(scope="module")
def fuzz():
    sys.path.insert(0, str(TOOLS / "stress"))
    yield load_tool("stress/fuzz")
    sys.path.remove(str(TOOLS / "stress"))


@pytest.fixture(scope="module")
def prepared(fuzz, tmp_path_factory):
    """What each part has prepared; made once."""
    made = {}

    def of(name):
        if name not in made:
            with fuzz.quiet(fuzz.PARTS[name].noisy):
                made[name] = fuzz.PARTS[name].prepare(tmp_path_factory.mktemp(name))
        return made[name]

    return of


def run(fuzz, prepared, name, seeds):
    from fuzz_parts.running import run_cases

    return run_cases(fuzz.PARTS[name], seeds, prepared(name))


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_short_forms_find_nothing(fuzz, prepared, name):
    assert fuzz.PARTS.keys() == CASES.keys()
    tally = run(fuzz, prepared, name, range(10**6, 10**6 + CASES[name]))
    assert tally.failures == [] and tally.cases == CASES[name]
    rare = ("refused", "empty", "without a match", "left out: rounding decides")
    assert sum(n for end, n in tally.ends.items() if end not in rare) > 0.4 * CASES[name]


def later(function, change):
    return lambda *args, **options: change(function(*args, **options))


def cut_off(function):
    """Re-ranking that averages over k1 + 1 rows at most, as it once did."""
    return lambda q, g, k1, k2, *rest, **more: function(q, g, k1, min(k2, k1 + 1), *rest, **more)


def missing(*args, **options):
    raise KeyError("splits")


BROKEN = [
    ("samplers", "oracles.sampling", "epoch_length", lambda f: later(f, lambda n: n + 1)),
    ("samplers", "oracles.sampling", "draw_seed", lambda f: later(f, lambda n: n ^ 1)),
    ("ranking", "oracles.rank", "plays", lambda f: lambda p, c, o, d: f(p, None, o, None)),
    ("ranking", "oracles.rank", "cmc", lambda f: lambda firsts, rank: f(firsts, rank + 1)),
    ("ranking", "oracles.rank", "rate_bounds", lambda f: later(f, lambda b: (b[1] + 0.1,) * 2)),
    ("reranking", "oracles.rerank", "reranked", lambda f: later(f, lambda d: d + 1e-5)),
    ("reranking", "reranking", "k_reciprocal_rerank", cut_off),
    ("protocols", "oracles.split", "with_role", lambda f: later(f, lambda rows: rows[1:])),
    ("protocols", "oracles.rank", "mean", lambda f: later(f, lambda value: 0.999 * value)),
    ("readers", "readers", "build_protocol", lambda f: missing),
    ("pictures", "pictures", "jpeg_thumbnail", lambda f: missing),
]


@pytest.mark.slow
@pytest.mark.parametrize("name, module, function, change", BROKEN)
def test_what_is_broken_is_noticed(fuzz, prepared, monkeypatch, name, module, function, change):
    """An oracle, or the package: one of the two is wrong, and the same number shows it again."""
    prepared(name)
    real = getattr(sys.modules[f"fuzz_parts.{module}"], function)
    for loaded in [m for n, m in sys.modules.items() if n.startswith("fuzz_parts.")]:
        if getattr(loaded, function, None) is real:
            monkeypatch.setattr(loaded, function, change(real))
    for first in range(0, 100, 10):  # most are noticed at once
        tally = run(fuzz, prepared, name, range(first, first + 10))
        assert tally.cases == 10
        if tally.failed:
            break
    assert tally.failed
    seed, text = tally.failures[0]
    assert run(fuzz, prepared, name, [seed]).failures == [(seed, text)]
    monkeypatch.undo()
    assert run(fuzz, prepared, name, [seed]).failures == []


BAD_PART = """
import os, time
from fuzz_parts.running import Part

def case(rng, folder):
    place = rng.integers(0, 2**31)
    seed = SEEDS.index(int(place))
    (folder / f"left_{seed}").write_text(str(os.getpid()))
    if seed == 3:
        os._exit(9)
    if seed == 5:
        time.sleep(600)
    if seed == 6:
        while True:
            pass
    if seed == 7:
        return len(bytearray(10**10)) and "eaten"
    if seed == 8:
        raise KeyError("a\\nb")
    return "right"

PART = Part("bad", "dies, hangs, eats", case, seconds=0.3)
"""


@pytest.fixture
def bad(fuzz, tmp_path, monkeypatch):
    """A part whose cases end badly, in a module that another process can import."""
    import zlib

    numbers = [
        int(np.random.default_rng([seed, zlib.crc32(b"bad")]).integers(0, 2**31))
        for seed in range(10)
    ]
    (tmp_path / "bad_part.py").write_text(f"SEEDS = {numbers}\n{BAD_PART}")
    monkeypatch.syspath_prepend(str(tmp_path))
    import bad_part

    yield bad_part.PART
    del sys.modules["bad_part"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited on Linux")
def test_cases_that_die_hang_or_eat_memory(fuzz, bad, tmp_path, monkeypatch):
    from fuzz_parts.workers import run_apart

    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr("tempfile.tempdir", None)
    seen = []
    tally = run_apart(
        bad, 0, 10, memory=10**9, seconds=3, progress=lambda found: seen.append(found.cases)
    )
    failures = dict(tally.failures)
    assert sorted(failures) == [3, 5, 6, 7, 8] and dict(tally.ends) == {"right": 5}
    assert "exit code 9" in failures[3] and "within 3 s" in failures[5]
    assert "TooSlow" in failures[6] and "MemoryError" in failures[7]
    assert failures[8].startswith("KeyError: 'a\\nb'") and "bad_part.py:" in failures[8]
    assert tally.slowest[1] == 6 and seen == [10]
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_killed_run_leaves_no_process(fuzz, bad, tmp_path):
    code = (
        "import sys\nfrom bad_part import PART\nfrom fuzz_parts.workers import run_apart\n"
        "run_apart(PART, 5, 1, memory=10**9, seconds=600)\n"
    )
    paths = [str(tmp_path), str(TOOLS / "stress"), str(ROOT)]
    environment = {"PYTHONPATH": ":".join(paths), "TMPDIR": str(tmp_path)}
    running = subprocess.Popen([sys.executable, "-c", code], env=environment)
    try:
        [file] = wait_for(lambda: list(tmp_path.glob("fuzz*/left_5")))
        [pid] = wait_for(lambda: file.read_text().split())
    finally:
        running.kill()
        running.wait(60)
    wait_for(lambda: not is_running(pid))


def wait_for(ask):
    until = time.monotonic() + 120
    while not (found := ask()):
        assert time.monotonic() < until
        time.sleep(0.05)
    return found


def is_running(pid):
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_the_report_names_what_repeats_a_failure(fuzz, monkeypatch, tmp_path, capsys):
    from fuzz_parts.running import Tally

    def run_apart(part, first, count, *, memory, seconds, until, progress):
        tally = Tally(slowest=(0.5, first + 1), memory=3 * 2**20)
        tally.ends["a.csv: refused"] = count - 2
        tally.ends["b.csv: refused"] = 1
        tally.fail(first + 1, "KeyError: 'x'")
        progress(tally)
        return tally

    monkeypatch.setattr(fuzz, "run_apart", run_apart)
    for suffix in (".md", ".json"):
        command = ["fuzz", "--only", "readers", "--cases", "9", "--seed", "5", "--report"]
        monkeypatch.setattr(sys, "argv", [*command, str(tmp_path / f"report{suffix}")])
        with pytest.raises(SystemExit) as ended:
            fuzz.main()
        assert ended.value.code == 1
    table = (tmp_path / "report.md").read_text()
    assert "| 9 | refused: 8 | 1 |" in table and "`--case readers:6`: KeyError: 'x'" in table
    found = json.loads((tmp_path / "report.json").read_text())["parts"]["readers"]
    assert found["failures"] == [{"case": "readers:6", "error": "KeyError: 'x'"}]
    assert found["cases"] == 9 and found["memory_growth_mb"] == 3
    assert "readers: 9 of 9, 1 failed" in capsys.readouterr().out


def test_one_case_is_repeated_here(fuzz, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["fuzz", "--case", "pictures:7"])
    fuzz.main()
    assert capsys.readouterr().out.startswith("pictures:7: ")
    monkeypatch.setattr("fuzz_parts.pictures.read_picture", missing)
    with pytest.raises(KeyError):  # with the traceback of where it happened
        fuzz.repeat("pictures:7")
