"""Commands that are started and ended."""

import signal
import sys
import threading
import time

import pytest

from mmreid_ext.cli.experiments.places import Place, available_cores
from mmreid_ext.cli.experiments.processes import Processes


def python(code):
    return [sys.executable, "-c", code]


def test_a_command_has_its_place_and_its_file(tmp_path):
    core = available_cores()[0]
    code = "import os; print(sorted(os.sched_getaffinity(0)), os.environ['A'])"
    waits = f"import time; time.sleep(0.2); {code}"  # its cores are set once it runs
    output = tmp_path / "output.txt"
    place = Place((core,), {"A": "b"})
    assert Processes(own_output=True).call(python(waits), place, output) == 0
    assert output.read_text() == f"[{core}] b\n"
    assert Processes(own_output=True).call(python("exit(3)"), Place(), output) == 3
    assert output.read_text() == f"[{core}] b\n", "an earlier call's output stays"


def test_alone_it_writes_on_the_terminal(tmp_path, capfd):
    processes = Processes(own_output=False)
    assert processes.call(python("print('here')"), Place(), tmp_path / "output.txt") == 0
    assert capfd.readouterr().out == "here\n" and not list(tmp_path.iterdir())


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="needs POSIX signals")
def test_all_end_together_and_nothing_more_starts(tmp_path):
    processes, output = Processes(own_output=True), tmp_path / "output.txt"
    statuses = []
    code = "import time; print('begun', flush=True); time.sleep(60)"
    thread = threading.Thread(
        target=lambda: statuses.append(processes.call(python(code), Place(), output))
    )
    thread.start()
    while not output.is_file() or "begun" not in output.read_text():
        time.sleep(0.02)
    processes.end()
    thread.join(5)
    assert statuses and statuses[0] != 0
    assert "KeyboardInterrupt" in output.read_text(), "it could end by itself"
    assert processes.call(python("print('more')"), Place(), output) != 0
    assert "more" not in output.read_text()
