"""The helper of the stress tools sees what processes leave behind."""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from helpers.paths import TOOLS

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the tools read /proc")


@pytest.fixture
def remains(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS / "stress"))
    from stress_parts import remains

    yield remains
    for name in [name for name in sys.modules if name.startswith("stress_parts")]:
        del sys.modules[name]


def test_nothing_is_left(remains, tmp_path):
    assert remains.Remains(tmp_path).left([os.getpid()], patience=0) == []


def test_a_process_of_the_session_is_seen_until_it_ends(remains, tmp_path):
    watch = remains.Remains(tmp_path)
    sleeper = [sys.executable, "-c", "import time; time.sleep(60)"]
    with subprocess.Popen(sleeper, start_new_session=True) as process:
        try:
            found = watch.left([process.pid], patience=0)
            assert [text.split()[1] for text in found] == [str(process.pid)]
            assert remains.children_of(os.getpid()).count(process.pid) == 1
        finally:
            process.kill()
            process.wait(30)
    assert watch.left([process.pid], patience=5) == []


def test_files_memory_and_descriptors_are_seen(remains, tmp_path):
    watch = remains.Remains(tmp_path)
    (tmp_path / "pymp-1").mkdir()
    with tempfile.NamedTemporaryFile(dir="/dev/shm", prefix="mmreid_", delete=False) as memory:
        try:
            found = watch.left([], patience=0)
            name = Path(memory.name).name
            # This process has it open: it is in use. The descriptor is what is left.
            assert [text.split()[0] for text in found] == ["temporary", "descriptor"]
            memory.close()
            assert watch.left([], patience=0) == [f"shared memory {name}", "temporary pymp-1"]
        finally:
            os.unlink(memory.name)


def test_a_semaphore_is_in_use_before_a_second_process_has_opened_it(remains, tmp_path):
    """Its maker has it mapped under another name: a slow start of the second isn't a leak."""
    watch = remains.Remains(tmp_path)
    lock = multiprocessing.get_context("spawn").Lock()
    assert Path(f"/dev/shm/sem.{lock._semlock.name.lstrip('/')}").is_file()
    assert not [text for text in watch.left([], patience=0) if text.startswith("shared")]
