"""Installs a stack, runs its tests and says what came of it."""

from __future__ import annotations

import shutil
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from .definitions import Stack
from .environment import ROOT, Environment, StepFailed
from .interpreters import find_interpreter
from .package import install_package
from .rows import Row


def try_stack(stack: Stack, cache: Path) -> Row:
    """Return the row of a stack; whatever prevents its tests is the row's remark.

    Args:
        stack: To be tested.
        cache: Folder with one folder per stack, and one log beside each.
    """
    row = Row(stack.name)
    interpreter = find_interpreter(stack.pythons)
    if interpreter is None:
        row.remark = f"not run: no Python {' or '.join(stack.pythons)} that can make environments"
        print(f"{stack.name}: {row.remark}", flush=True)
        return row
    log = cache / f"{stack.name}.log"
    log.write_text("")
    environment = Environment(cache / stack.name, log)
    work = Path(tempfile.mkdtemp(prefix="mmreid_ext_stack_"))
    try:
        print(f"{stack.name}: installs with {interpreter}, see {log}", flush=True)
        environment.prepare(stack, interpreter)
        folder = install_package(environment, work) if stack.packaged else ROOT
        row.python, row.versions = environment.versions()
        print(f"{stack.name}: tests {row.versions}", flush=True)
        run_tests(environment, stack, folder, work, row)
    except StepFailed as error:
        row.remark, row.broken = f"{error}; see {log.name} in the cache folder", True
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(f"{stack.name}: {row.passed} passed, {row.failed} failed. {row.remark}", flush=True)
    return row


def run_tests(environment: Environment, stack: Stack, folder: Path, work: Path, row: Row) -> None:
    """Run pytest in ``folder`` and count.

    Raises:
        StepFailed: If pytest ended without a report.
    """
    report = work / "report.xml"
    options = ["-q", "-p", "no:cacheprovider", f"--junitxml={report}", f"--basetemp={work / 't'}"]
    command = [environment.python, "-m", "pytest", *options, *stack.tests]
    start = time.monotonic()
    threads = dict(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")
    elsewhere = dict(MMREID_PACKAGED="1") if stack.packaged else dict(PYTHONPATH=str(folder))
    code = environment.run(command, folder, check=False, **threads, **elsewhere)
    row.minutes = (time.monotonic() - start) / 60
    if not report.is_file():
        raise StepFailed(f"pytest ended with {code} and no report")
    row.passed, row.failed, row.skipped = counted(report)
    row.broken = code != 0


def counted(report: Path) -> tuple[int, int, int]:
    """Return how many tests of a JUnit file passed, failed (or broke), and were skipped."""
    suites = list(ElementTree.parse(report).getroot().iter("testsuite"))
    total, failures, errors, skipped = (
        sum(int(suite.get(name, 0)) for suite in suites)
        for name in ("tests", "failures", "errors", "skipped")
    )
    return total - failures - errors - skipped, failures + errors, skipped
