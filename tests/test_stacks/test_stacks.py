"""tools/test_stacks.sh: what it takes for an interpreter, counts, keeps, names and writes."""

import dataclasses
import importlib
import stat
import sys

import pytest
from helpers.paths import ROOT, TOOLS


@pytest.fixture
def part(monkeypatch):
    """A module of the tool's parts, by name."""
    monkeypatch.syspath_prepend(str(TOOLS / "stacks"))
    return lambda name: importlib.import_module(f"stacks_parts.{name}")


def write_python(path, says, code=0):
    """An interpreter that says it is of a version."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho {says}\nexit {code}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_interpreters_are_looked_for_on_path_and_in_pyenv(part, tmp_path, monkeypatch):
    find = part("interpreters").find_interpreter
    monkeypatch.setenv("PATH", f"{tmp_path / 'shims'}:/usr/bin:/bin")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    assert find(["3.96", "3.97"]) is None
    # pyenv's own on PATH fails where that version isn't chosen.
    write_python(tmp_path / "shims" / "python3.97", "not chosen", code=127)
    second = write_python(tmp_path / "pyenv" / "versions" / "3.97.1" / "bin" / "python", "3.97")
    assert find(["3.96", "3.97"]) == second
    first = write_python(tmp_path / "shims" / "python3.96", "3.96")
    assert find(["3.96", "3.97"]) == first
    write_python(tmp_path / "shims" / "python3.96", "3.95")  # another one of that name
    assert find(["3.96", "3.97"]) == second


def test_a_missing_interpreter_is_named(part, tmp_path, monkeypatch, capsys):
    testing, stack = part("testing"), part("definitions").STACKS[0]
    monkeypatch.setattr(testing, "find_interpreter", lambda versions: None)
    row = testing.try_stack(dataclasses.replace(stack, pythons=("3.96", "3.97")), tmp_path)
    assert row.passed is None and not row.broken
    assert row.remark == "not run: no Python 3.96 or 3.97 that can make environments"
    assert row.remark in capsys.readouterr().out
    assert part("rows").failed([row])  # nothing ran at all
    assert not part("rows").failed([row, part("rows").Row("b", passed=3)])


def test_an_installation_that_fails_is_a_row(part, tmp_path, monkeypatch):
    testing, stack = part("testing"), part("definitions").STACKS[0]
    broken = write_python(tmp_path / "python", "cannot", code=3)
    monkeypatch.setattr(testing, "find_interpreter", lambda versions: broken)
    row = testing.try_stack(stack, tmp_path)
    assert (
        row.broken and row.remark.startswith(f"{broken} -m venv") and "ended with 3" in row.remark
    )
    assert "cannot" in (tmp_path / "lock.log").read_text()


def test_an_environment_is_made_once_and_again_for_other_versions(part, tmp_path, monkeypatch):
    stack = dataclasses.replace(part("definitions").STACKS[0], install=("numpy==1",))
    environment = part("environment").Environment(tmp_path / "env", tmp_path / "log")
    calls = []

    def run(command, **options):
        calls.append(command[1:])
        (tmp_path / "env").mkdir(exist_ok=True)

    monkeypatch.setattr(environment, "run", run)
    environment.prepare(stack, sys.executable)
    assert [call[1] for call in calls] == ["venv", "pip", "pip"] and calls[2][-1] == "numpy==1"
    environment.prepare(stack, sys.executable)
    assert len(calls) == 3
    environment.prepare(dataclasses.replace(stack, newest=True), sys.executable)
    assert len(calls) == 4 and "--upgrade" in calls[3] and calls[3][-1] == "numpy==1"
    environment.prepare(dataclasses.replace(stack, install=("numpy==2",)), sys.executable)
    assert len(calls) == 7 and calls[6][-1] == "numpy==2"


def test_commands_do_not_see_the_packages_of_others(part, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    environment = part("environment").Environment(tmp_path, tmp_path / "log")
    ask = "import os; print(os.environ.get('PYTHONPATH'), os.environ['ONE'])"
    environment.run([sys.executable, "-c", ask], ONE="1")
    assert (tmp_path / "log").read_text().endswith("\nNone 1\n")
    with pytest.raises(part("environment").StepFailed, match="ended with 4"):
        environment.run([sys.executable, "-c", "raise SystemExit(4)"])


def test_tests_are_counted(part, tmp_path):
    counts = '<testsuite tests="9" failures="2" errors="1" skipped="3"/>'
    (tmp_path / "a.xml").write_text(f"<testsuites>{counts}</testsuites>")
    assert part("testing").counted(tmp_path / "a.xml") == (3, 3, 3)


def test_the_table(part):
    rows = part("rows")
    good = rows.Row("a", "3.11.7", {"torch": "2.1.0"}, passed=5, skipped=1, minutes=2.04)
    text = rows.table([good, rows.Row("b", remark="not run")]).splitlines()
    assert len({line.count("|") for line in text[:4]}) == 1
    assert text[2].startswith("| a | 3.11.7 | 2.1.0 | - |")
    assert text[2].endswith("| 5 | 0 | 1 | 2.0 |")
    assert text[3].endswith("| - | - | - | - |") and text[-1] == "b: not run"
    assert not rows.failed([good])
    assert rows.failed([dataclasses.replace(good, failed=1)])


def test_what_stacks_name_exists(part):
    for stack in part("definitions").STACKS:
        named = [word for word in stack.install if word.endswith(".txt")]
        named += [one.partition("::")[0] for one in stack.tests if one.startswith("tests/")]
        assert [name for name in named if not (ROOT / name).exists()] == []


def test_stacks_promise_what_the_package_does(part):
    """The oldest stack has the lowest versions that the environment check admits."""
    from mmreid_ext.compat import REQUIREMENTS
    from mmreid_ext.version import release

    (oldest,) = (s for s in part("definitions").STACKS if s.name == "upstream-oldest")
    given = dict(word.split("==") for word in oldest.install if "==" in word)
    for requirement in REQUIREMENTS:
        if requirement.minimum:
            (name,) = set(requirement.names) & set(given)
            assert release(given[name])[:2] == release(requirement.minimum)[:2], name
