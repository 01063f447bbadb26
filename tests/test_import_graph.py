"""The house holds: no circle, no import that runs upwards, nothing crowded, nothing long."""

import pytest
from helpers.import_graph import (
    crowded_folders,
    find_circle,
    import_graph,
    long_files,
    long_functions,
    modules_of,
    room_of,
    upward_imports,
)
from helpers.paths import ROOT
from helpers.tools import run_python

PACKAGE = ROOT / "mmreid_ext"

FLOORS = [
    {
        "errors",
        "suggest",
        "shorten",
        "stage_names",
        "json_values",
        "library_defaults",
        "version",
        "moments",
        "moved",
        "type_names",
        "setting_checks",
        "verdicts",
    },
    {
        "augmentation",
        "distributed",
        "protocols",
        "output_files",
        "image_loading",
        "config_files",
        "array_files",
        "stopping",
    },
    {"pictures"},
    {"deploy"},
    {"checkpoint", "compat", "registry"},
    {"models", "datasets", "evaluation"},
    {"engine", "visualization", "apis"},
    {"export"},
    {"cli"},
]
"""Rooms of the package, from the ground up. Those of one floor do not import one another."""

SAME_FLOOR = {
    ("compat", "checkpoint"),
    ("registry", "compat"),
    ("type_names", "suggest"),
    ("verdicts", "setting_checks"),
}
"""Who may import whom on one floor of the ground."""

FOLDER_LIMITS = {"evaluation": 12, "datasets": 12}
FREE_FOLDERS = {"datasets/readers", "models/losses"}  # one file per data set, one per loss


@pytest.fixture(scope="module")
def graph():
    return import_graph(modules_of(PACKAGE))


def test_no_circle(graph):
    assert " -> ".join(find_circle(graph)) == ""


def test_every_room_has_a_floor(graph):
    assert {room_of(name) for name in graph} - {""} == set().union(*FLOORS)


def test_no_import_runs_upwards(graph):
    assert upward_imports(graph, FLOORS, SAME_FLOOR) == []


def test_every_exception_of_a_floor_is_used(graph):
    used = {(room_of(name), room_of(other)) for name in graph for other in graph[name]}
    assert used >= SAME_FLOOR


def test_no_folder_is_crowded():
    assert crowded_folders(PACKAGE, FOLDER_LIMITS, other=14, free=FREE_FOLDERS) == {}


def test_no_file_has_250_lines():
    assert long_files(PACKAGE, 250) == {}


def test_no_function_has_40_lines():
    """Docstrings apart."""
    assert long_functions(PACKAGE, 40) == {}


# ---- what retrieval and protocols may know


ALLOWED = {
    "errors",
    "suggest",
    "shorten",
    "setting_checks",
    "distributed",
    "protocols.image_table",
    "protocols.camera_rule",
    # Features on disk read like a tensor; which file they are in, retrieval doesn't know.
    "evaluation.from_disk",
    "evaluation.from_disk.disk_features",
}


def test_retrieval_is_arrays_in_metrics_out(graph):
    """No data set, no protocol, no file, no registry, no mm* package."""
    room = "mmreid_ext.evaluation.retrieval"
    wrong = []
    for name, path in modules_of(PACKAGE).items():
        if not f"{name}.".startswith(f"{room}."):
            continue
        allowed = {f"mmreid_ext.{other}" for other in ALLOWED} | {"mmreid_ext.protocols"}
        outside = {other for other in graph[name] if not f"{other}.".startswith(f"{room}.")}
        wrong += [f"{name} imports {other}" for other in sorted(outside - allowed)]
        text = path.read_text(encoding="utf-8")
        words = ("mmengine", "mmpretrain", "mmcv", "open(")
        wrong += [f"{name}: {word}" for word in words if word in text]
    assert wrong == []


def test_protocols_load_neither_pytorch_nor_mmengine():
    code = "import sys, mmreid_ext.protocols; print({'torch', 'mmengine'} & set(sys.modules))"
    result = run_python(code)
    assert result.stdout.strip() == "set()", result.stdout + result.stderr


# ---- the checks notice what they are for


@pytest.fixture
def house(tmp_path):
    """Write a small package: ``ground``, the pillars ``left`` and ``right``, the ``roof``."""
    package = tmp_path / "house"

    def build(**files):
        texts = {
            "__init__": "",
            "ground": "X = 1\n",
            "left/__init__": "",
            "left/a": "from house.ground import X\n",
            "left/b": "from .a import X\n",
            "right/__init__": "from .c import X\n",
            "right/c": "from house.ground import X\n",
            "roof": "import house.left.b\nfrom house.right import X\n",
        } | {name.replace("__IN__", "/"): text for name, text in files.items()}
        for name, text in texts.items():
            path = package / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return package

    return build


SMALL_FLOORS = [{"ground"}, {"left", "right"}, {"roof"}]


def test_a_sound_house_passes(house):
    package = house()
    graph = import_graph(modules_of(package))
    assert graph["house.left.b"] == {"house.left.a"}
    assert graph["house.roof"] == {"house.left", "house.left.b", "house.right"}
    assert find_circle(graph) == [] and upward_imports(graph, SMALL_FLOORS) == []
    assert crowded_folders(package, {"left": 3}, other=3, free=set()) == {}
    assert long_files(package, 3) == {} and long_functions(package, 1) == {}


@pytest.mark.parametrize(
    "text",
    [
        "from .b import Y\n",
        "from . import b\n",
        "def f():\n    import house.left.b as b\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from house.left.b import Y\n",
    ],
)
def test_a_circle_is_noticed(house, text):
    graph = import_graph(modules_of(house(left__IN__a=text)))
    assert find_circle(graph) == ["house.left.a", "house.left.b", "house.left.a"]


def test_a_circle_through_the_init_of_a_folder_is_noticed(house):
    package = house(left__IN____init__="from .b import X\n", ground="from house.left.a import Y\n")
    assert "house.ground" in find_circle(import_graph(modules_of(package)))


@pytest.mark.parametrize("other", ["roof", "right.c", "right"])
@pytest.mark.parametrize("lazy", [True, False])
def test_upward_and_sideward_imports_are_noticed(house, other, lazy):
    line = f"import house.{other}\n"
    text = f"def f():\n    {line}" if lazy else line
    graph = import_graph(modules_of(house(left__IN__a=text)))
    assert f"house.left.a imports house.{other}" in upward_imports(graph, SMALL_FLOORS)
    sideward = upward_imports(graph, SMALL_FLOORS, {("left", "right")})
    assert bool(sideward) == (other == "roof")


def test_a_crowded_folder_is_noticed(house):
    package = house(left__IN__d="")
    assert crowded_folders(package, {"left": 3}, other=9, free=set()) == {"left": 4}
    assert crowded_folders(package, {}, other=3, free=set()) == {"left": 4}
    assert crowded_folders(package, {}, other=3, free={"left"}) == {}


def test_long_files_and_functions_are_noticed(house):
    lines = "    x = 1\n" * 38
    long = f'def long():\n    """One.\n\n    More.\n    """\n{lines}    return x\n'
    package = house(left__IN__a=long, ground="X = 1\n" * 250, roof="X = 1\n" * 249)
    assert long_files(package, 250) == {"ground.py": 250}
    assert long_functions(package, 40) == {"left/a.py:long": 40}
    (package / "left" / "a.py").write_text(long.replace("    return x\n", ""))
    assert long_functions(package, 40) == {}
