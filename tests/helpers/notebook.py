"""Notebooks: their cells, run in order in this process, without Jupyter."""

import json
import re
import runpy
import shlex
import sys
from pathlib import Path
from types import ModuleType

import pytest

_MAGIC = re.compile(r"^%run (?P<command>.+)$")


def code_cells(path: Path) -> list[str]:
    """Return the source of each code cell."""
    document = json.loads(path.read_text(encoding="utf-8"))
    return ["".join(c["source"]) for c in document["cells"] if c["cell_type"] == "code"]


def run_cells(path: Path, monkeypatch: pytest.MonkeyPatch) -> dict:
    """Run all cells in one namespace and return it; a failing cell fails the test.

    ``%run`` calls a script in this process, as IPython does, with ``{name}`` replaced.
    """
    shown: list[object] = []
    display = ModuleType("IPython.display")
    display.Image = lambda data, **options: shown.append(Path(data).read_bytes())
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    names: dict = {"shown": shown}

    def run(line: str) -> None:
        script, *arguments = shlex.split(re.sub(r"\{(\w+)\}", lambda m: str(names[m[1]]), line))
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", [script, *arguments])
            try:
                runpy.run_path(script, run_name="__main__")
            except SystemExit as end:
                assert not end.code, f"{line}: {end.code}"

    names["_run"] = run
    for number, source in enumerate(code_cells(path)):
        lines = source.split("\n")
        plain = [f"_run({m['command']!r})" if (m := _MAGIC.match(x)) else x for x in lines]
        exec(compile("\n".join(plain), f"cell {number}", "exec"), names)
    return names
