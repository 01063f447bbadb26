"""The house holds: no circle, no import that runs upwards, nothing crowded."""

import ast
import subprocess
import sys
from collections import defaultdict

import pytest
from helpers.paths import ROOT

PACKAGE = "mmreid_ext"
PACKAGE_ROOT = ROOT / PACKAGE

FLOORS = [
    {
        "errors",
        "suggest",
        "shorten",
        "json_values",
        "version",
        "type_names",
        "setting_checks",
    },
    {"distributed", "protocols", "output_files"},
    {"checkpoint", "compat", "registry"},
    {"models", "datasets", "evaluation"},
    {"engine", "visualization", "apis"},
    {"cli"},
]
"""Rooms of the package, from the ground up. Those of one floor do not import one another."""

SAME_FLOOR = {("compat", "checkpoint"), ("registry", "compat"), ("type_names", "suggest")}
"""Who may import whom on one floor of the ground."""


def _name(path):
    parts = path.relative_to(PACKAGE_ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {_name(path): path for path in PACKAGE_ROOT.rglob("*.py") if ".mim" not in path.parts}


def _imported(name):
    """Modules of the package that a module names in its import statements, wherever they stand."""
    path = MODULES[name]
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name in MODULES}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")
                base = ".".join(
                    [*parents[: len(parents) - node.level + 1], *base.split(".")]
                ).rstrip(".")
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                found |= {whole if whole in MODULES else base} & MODULES.keys()
    return found


GRAPH = {name: _imported(name) for name in MODULES}


def _room(name):
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else ""


def test_no_circle():
    done, path = set(), []

    def visit(name):
        if name in path:
            pytest.fail("a circle: " + " -> ".join([*path[path.index(name) :], name]))
        if name in done:
            return
        path.append(name)
        for other in sorted(GRAPH[name]):
            visit(other)
        done.add(path.pop())

    for name in sorted(GRAPH):
        visit(name)


def test_every_room_has_a_floor():
    assert {_room(name) for name in MODULES} - {""} == set().union(*FLOORS)


def test_no_import_runs_upwards():
    level = {room: number for number, floor in enumerate(FLOORS) for room in floor}
    wrong = []
    for name, imported in GRAPH.items():
        here = _room(name)
        for other in imported:
            there = _room(other)
            if not here or not there or here == there or (here, there) in SAME_FLOOR:
                continue
            if level[there] >= level[here]:
                wrong.append(f"{name} imports {other}")
    assert not wrong, "\n".join(sorted(wrong))


def test_no_folder_is_crowded():
    files = defaultdict(list)
    for path in MODULES.values():
        files[path.parent.relative_to(PACKAGE_ROOT).as_posix()].append(path.name)
    limits = {"evaluation": 12, "datasets": 12}
    free = {"datasets/readers", "models/losses"}  # one file per data set, one per loss
    crowded = {
        folder: len(names)
        for folder, names in files.items()
        if folder not in free and len(names) > limits.get(folder, 14)
    }
    assert not crowded


ALLOWED = {
    "errors",
    "suggest",
    "shorten",
    "setting_checks",
    "distributed",
    "protocols.image_table",
    "protocols.camera_rule",
}


def test_retrieval_is_arrays_in_metrics_out():
    """No data set, no protocol, no file, no registry, no mm* package."""
    wrong = []
    for name, path in MODULES.items():
        if not name.startswith(f"{PACKAGE}.evaluation.retrieval"):
            continue
        for other in GRAPH[name]:
            inside = other.startswith(f"{PACKAGE}.evaluation.retrieval")
            if not inside and other.removeprefix(f"{PACKAGE}.") not in ALLOWED:
                wrong.append(f"{name} imports {other}")
        for word in ("mmengine", "mmpretrain", "mmcv", "open("):
            if word in path.read_text(encoding="utf-8"):
                wrong.append(f"{name}: {word}")
    assert not wrong, "\n".join(sorted(wrong))


def test_protocols_load_neither_pytorch_nor_mmengine():
    code = "import sys, mmreid_ext.protocols; print({'torch', 'mmengine'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "set()", result.stdout + result.stderr
