"""The documents run: Python blocks are executed, named files and options exist."""

import importlib
import re
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from helpers.commands import ROOT, check, in_markdown, in_tool
from helpers.exported_model import write_onnx
from mmengine.config import Config
from mmengine.registry import DefaultScope, Registry

from mmreid_ext import registry
from mmreid_ext.engine.hooks import DeploymentInfoHook
from mmreid_ext.protocols import named

MARKED = re.compile(r"```python\n(.*?)```", re.DOTALL)
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CODE_OF_CONDUCT.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *(ROOT / "configs").rglob("README.md"),
    *(ROOT / "examples").rglob("README.md"),
]
CHANGES = ROOT / "CHANGELOG.md"
FENCED = re.compile(r"(?ms)^<!-- not run: [^\n]+ -->\n```\w+\n.*?^```$")
PYTHON_BLOCKS = [
    pytest.param(block, id=f"{path.name}-{number}")
    for path in DOCUMENTS
    for number, block in enumerate(MARKED.findall(path.read_text()))
]


@pytest.fixture
def names(tmp_path):
    """What fragments take for granted: pipelines, and a few images with features."""
    folder = tmp_path / "data" / "market1501"
    folder.mkdir(parents=True)
    paths = [f"{number}.png" for number in range(24)]
    for number, path in enumerate(paths):
        cv2.imwrite(str(folder / path), np.full((64, 32, 3), 10 * number, np.uint8))
    feats = np.random.default_rng(0).normal(size=(24, 8)).astype(np.float32)
    pids, camids = np.arange(24) % 6, np.arange(24) // 6
    values = {"train_pipeline": [], "test_pipeline": []}
    for role, rows in (("query", slice(0, 6)), ("gallery", slice(6, 24))):
        columns = {"feats": feats, "pids": pids, "camids": camids, "paths": paths}
        values |= {f"{role}_{name}": column[rows] for name, column in columns.items()}
    return values


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """Untrained weights of one of our configurations, with what a checkpoint records."""
    written = {}

    def write(name):
        if name not in written:
            cfg = Config.fromfile(ROOT / "configs" / f"{name}.py")
            with DefaultScope.overwrite_default_scope("mmpretrain"):
                model = registry.MODELS.build(cfg.model)
            content = dict(state_dict=model.state_dict(), meta={})
            DeploymentInfoHook().before_save_checkpoint(
                SimpleNamespace(model=model, cfg=cfg), content
            )
            written[name] = tmp_path_factory.mktemp("weights") / f"{name}.pth"
            torch.save(content, written[name])
        return written[name]

    return write


@pytest.fixture
def own_registries(monkeypatch):
    """What a document registers is gone afterwards."""
    monkeypatch.setattr(named, "_NAMED", dict(named._NAMED))
    for one in (registry.MODELS, registry.DATASETS, registry.METRICS):
        monkeypatch.setattr(one, "_module_dict", dict(one._module_dict))


@pytest.mark.usefixtures("own_registries")
@pytest.mark.filterwarnings("error:.*is now called:FutureWarning")  # documents use today's names
@pytest.mark.parametrize("block", PYTHON_BLOCKS)
def test_python_blocks_run(block, names, checkpoint, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path, config in re.findall(r"[\"'](work_dirs/(\w+)/\w+\.pth)[\"']", block):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).symlink_to(checkpoint(config))
    if "model.onnx" in block:
        write_onnx(tmp_path)
    for name in ("a.jpg", "b.jpg"):
        cv2.imwrite(name, np.full((64, 32, 3), 99, np.uint8))
    exec(compile(block, "document", "exec"), names)


def anchors(text):
    """Names of the headings, as GitHub makes them."""
    headings = re.findall(r"(?m)^#+ (.+)$", text)
    return [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_and_named_files_exist(path):
    text = path.read_text()
    missing = []
    for link, _, anchor in re.findall(r"\]\((?!http)([^)#]*)(#([^)]+))?\)", text):
        target = path.parent / link if link else path
        if not target.exists() or anchor and anchor not in anchors(target.read_text()):
            missing.append(f"{link}#{anchor}")
    named = re.findall(
        r"(?<![\w/.])((?:configs|tools|tests|docs|requirements)/[\w./-]+\.(?:py|sh|md|txt))", text
    )
    missing += [name for name in named if not (ROOT / name).exists()]
    assert not missing


def test_no_merge_was_left_half_done():
    text = (*DOCUMENTS, *(ROOT / "tests").rglob("*.py"), *(ROOT / "configs").rglob("*.py"))
    sides = re.compile(r"(?m)^(<{7}|>{7}) \S")
    assert not [path for path in text if sides.search(path.read_text())]


COMMANDS = [(path, line) for path in DOCUMENTS for line in in_markdown(path.read_text())]
TOOLS = sorted(path for path in (ROOT / "tools").rglob("*.*") if path.suffix in (".py", ".sh"))
COMMANDS += [(path, line) for path in TOOLS for line in in_tool(path)]


@pytest.mark.parametrize(
    "path, line", COMMANDS, ids=[f"{path.stem}-{n}" for n, (path, _) in enumerate(COMMANDS)]
)
def test_every_command_parses(path, line):
    """Its tool reads it, its files exist, and ``--cfg-options`` change what the file has."""
    check(line)


def test_there_are_commands_and_settings():
    """The search above finds something."""
    assert len(COMMANDS) > 60
    assert sum("--cfg-options" in line for _, line in COMMANDS) > 5


def test_no_command_of_a_tool_is_overlooked():
    for path in DOCUMENTS:
        text = path.read_text().replace("\\\n", " ")
        named = set(re.findall(r"tools/[\w/]+\.(?:py|sh) +(?:--|configs/)[^\n`#|]*", text))
        found = "\n".join(line for owner, line in COMMANDS if owner == path)
        assert [command for command in named if command.strip() not in found] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_named_options_exist(path):
    """An option in the text belongs to one of the command lines."""
    sources = [*(ROOT / "tools").rglob("*.*"), *(ROOT / "mmreid_ext" / "cli").rglob("*.py")]
    known = "\n".join(source.read_text() for source in sources if source.suffix in (".py", ".sh"))
    options = re.findall(r"`(--[a-z][\w-]*)", path.read_text())
    assert [option for option in options if f'"{option}"' not in known] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_python_is_marked_as_such(path):
    """So that it is run: an indented block would not be."""
    rest = MARKED.sub("", path.read_text())
    assert re.findall(r"(?m)^ {4}(?:import|from) \w.*", rest) == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_block_is_run_or_says_why_not(path):
    """``python`` is run, commands in ``bash`` are parsed, ``text`` is what a program shows."""
    unmarked = FENCED.sub("", path.read_text())
    assert re.findall(r"(?m)^ *```(?!python$|bash$|text$|\{\w[\w-]*\}|$).*", unmarked) == []
    opened = re.findall(r"(?m)^ *```(.*)$", unmarked)[::2]
    assert "" not in opened, "a block without a language"


def test_the_changelog_knows_where_modules_are_now():
    text = CHANGES.read_text().split("### Moved")[1].split("| old argument")[0]
    rows = re.findall(r"(?m)^\| `([a-z][\w.]+(?:\{[\w, ]+\})?)` \| (`.+`) \|$", text)
    assert len(rows) > 25
    for old, new in rows:
        folder, _, names = old.rstrip("}").partition("{")
        places = re.findall(r"`([\w.]+)`", new)
        for name in names.split(", "):
            assert not module_file(folder + name).is_file(), f"{folder}{name} has not moved"
            for place in places:
                now = f"{place}.{name}" if name else place
                assert module_file(now).is_file(), f"{now} is not there"


def test_no_document_holds_two_versions():
    """Marks of a merge that was left half done."""
    marked = re.compile(r"(?m)^(<{7}|>{7}) ")
    assert [path.name for path in [*DOCUMENTS, CHANGES] if marked.search(path.read_text())] == []


def module_file(name):
    return ROOT / "mmreid_ext" / f"{name.replace('.', '/')}.py"


MAP = (ROOT / "docs" / "architecture.md").read_text()


def test_the_map_shows_every_room_and_nothing_else():
    rooms = {path.parent for path in (ROOT / "mmreid_ext").rglob("*.*") if path.is_file()}
    shown = re.findall(r"(?m)^\| `(mmreid_ext/[\w/]+/)` \| \S", MAP)
    hidden = {"__pycache__", ".mim"}
    rooms = {f"{p.relative_to(ROOT).as_posix()}/" for p in rooms if not hidden & set(p.parts)}
    assert sorted(shown) == sorted(rooms - {"mmreid_ext/"})


def test_the_map_names_files_that_exist():
    named = re.findall(r"`(mmreid_ext/[\w/]+\.\w+)`", MAP)
    assert len(named) >= 6
    assert [path for path in named if not (ROOT / path).is_file()] == []


def test_the_map_has_the_floors_of_the_import_graph():
    from test_import_graph import FLOORS

    rows = re.findall(r"(?m)^\| [\w* ]+ \| ((?:`\w+`(?:, )?)+) \|", MAP)
    shown = [set(re.findall(r"`(\w+)`", row)) for row in reversed(rows)]
    assert len(shown) == len(FLOORS)
    for rooms, floor in zip(shown, FLOORS, strict=True):
        folders = {room for room in floor if (ROOT / "mmreid_ext" / room).is_dir()}
        assert folders <= rooms <= floor  # small files may be left out


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_named_objects_exist(path):
    """``mmreid_ext.a.b.Name`` is imported, ``mmreid_ext.Name`` is registered, if only there."""
    registries = [one for one in vars(registry).values() if isinstance(one, Registry)]
    absent, text = [], path.read_text()
    own = re.findall(r"(?m)^@\w+\.register_module\(\)\nclass (\w+)", text)
    for name in set(re.findall(r"\bmmreid_ext(?:\.\w+)+", text)):
        parts = name.split(".")
        registered = len(parts) == 2 and (
            parts[1] in own or any(one.get(parts[1]) for one in registries)
        )
        importable = any(is_there(parts, depth) for depth in range(len(parts), 0, -1))
        if not registered and not importable:
            absent.append(name)
    assert not absent


def is_there(parts, depth):
    try:
        found = importlib.import_module(".".join(parts[:depth]))
        for part in parts[depth:]:
            found = getattr(found, part)
    except (ImportError, AttributeError):
        return False
    return True
