"""Short forms of the stress tools: they find nothing, and they find what is broken.

One process runs them all: it imports the package once and forks small trainings.
"""

import json
import sys

import pytest
from helpers.paths import TOOLS
from helpers.tools import run_python

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the tools read /proc"),
]

CODE = """
import json, os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from stress_parts import crashes, kills, recipes, soaking
folder = Path(sys.argv[2])
people = recipes.draw_people(folder / "people")
found = {}

(folder / "killed").mkdir()
killing = kills.Killing(folder / "killed", people, seed=1, iters=6)
found["kills"] = [
    killing.run("xbm", 1, ["worker", "machine", "stop"], after=[2, 3, 4]),
    killing.run("baseline", 2, ["rank"], after=[3]),
]
crashing = crashes.Crashing("xbm", 1, folder / "crashed", people, iters=4)
found["unsynced"], found["places"] = crashing.unsynced(), crashing.places
crashing.places, places = crashing.places[:18], crashing.places
found["crashes"], found["left"] = [], 4
while found["left"] is not None:
    several, found["left"] = crashing.all(found["left"], 13, end=0)
    found["crashes"] += several
crashing.places = places
found["soak"] = soaking.soak("xbm", folder / "soak", people, 24)

# From here on something is wrong, and must be found.
from mmreid_ext.checkpoint.resume import resuming
from mmreid_ext.models.losses.cross_batch_memory import CrossBatchMemory
from mmreid_ext.output_files import atomic

class Leak(soaking.Hook):
    held = []
    def after_train_iter(self, *args, **kwargs):
        self.held.append((open("/dev/null"), bytearray(b"1" * 1_000_000)))

leaking = lambda runner: runner.register_hook(Leak())
found["leak"] = soaking.soak("xbm", folder / "leak", people, 24, spoil=leaking)
load, CrossBatchMemory._load_from_state_dict = (
    CrossBatchMemory._load_from_state_dict, lambda *args: None
)
found["forgets"] = killing.run("xbm", 1, ["all"], after=[4])
CrossBatchMemory._load_from_state_dict = load
resuming.sweep_leftovers = lambda *_, **__: []
found["unswept"] = crashing.die(3)
class NoSync:
    def __getattr__(self, name):
        return (lambda descriptor: None) if name == "fsync" else getattr(os, name)

atomic.os = NoSync()
found["unsynced_now"] = crashes.Crashing("xbm", 1, folder / "no_fsync", people, iters=2).unsynced()
print(json.dumps(found, default=vars))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stress")
    result = run_python(CODE, TOOLS / "stress", folder, timeout=280)
    assert result.returncode == 0, result.stderr[-3000:]
    return json.loads(result.stdout.splitlines()[-1])


def test_killed_runs_end_like_undisturbed_ones(found):
    alone, two = found["kills"]
    assert [kind for kind, _ in alone["kills"]] == ["worker", "machine", "stop"]
    assert [kind for kind, _ in two["kills"]] == ["rank"] and len(two["waits"]) == 1
    assert alone["problems"] == two["problems"] == []


def test_a_memory_that_is_forgotten_is_noticed(found):
    (kill,) = found["forgets"]["kills"]
    assert kill[0] == "all"
    assert any("iteration 5 differs" in text for text in found["forgets"]["problems"])
    assert any("memory_feats differs" in text for text in found["forgets"]["problems"])


def test_a_run_that_dies_while_it_saves_loses_nothing(found):
    kinds = {place.split()[0] for place in found["places"]}
    assert kinds == {"open", "half", "fsync", "rename", "remove"} and found["unsynced"] == []
    assert len(found["places"]) > 30
    assert [crash["place"].split()[0] for crash in found["crashes"]] == ["rename", "half"]
    assert [crash["problems"] for crash in found["crashes"]] == [[], []]


def test_files_that_are_left_or_not_on_disk_are_noticed(found):
    assert len(found["unswept"]["problems"]) == 1
    assert ".tmp was left" in found["unswept"]["problems"][0]
    assert "rename iter_2.pth" in found["unsynced_now"]


def test_a_long_run_does_not_grow(found):
    assert found["soak"]["problems"] == [] and len(found["soak"]["samples"]) == 24


def test_what_leaks_is_noticed(found):
    grown = [text.split()[0] for text in found["leak"]["problems"]]
    assert grown == ["memory", "descriptors"]
