"""The documents run: Python blocks are executed, named files and options exist."""

import os
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.config import Config

ROOT = Path(__file__).parent.parent
DOCUMENTS = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *(ROOT / "configs").rglob("README.md"),
]
PYTHON_BLOCKS = [
    pytest.param(block, id=f"{path.name}-{number}")
    for path in DOCUMENTS
    for number, block in enumerate(re.findall(r"```python\n(.*?)```", path.read_text(), re.DOTALL))
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


@pytest.mark.parametrize("block", PYTHON_BLOCKS)
def test_python_blocks_run(block, names, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "document", "exec"), names)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_and_named_files_exist(path):
    text = path.read_text()
    links = [link.split("#")[0] for link in re.findall(r"\]\((?!http)([^)]+)\)", text)]
    missing = [link for link in links if link and not (path.parent / link).exists()]
    named = re.findall(
        r"(?<![\w/.])((?:configs|tools|tests|docs|requirements)/[\w./-]+\.(?:py|sh|md|txt))", text
    )
    missing += [name for name in named if not (ROOT / name).exists()]
    assert not missing


def commands() -> list[tuple[str, str]]:
    """``(tool, arguments)`` of every command line that the documents show."""
    found = set()
    for path in DOCUMENTS:
        text = path.read_text().replace("\\\n", " ")
        found |= set(re.findall(r"(?:python |bash )?(tools/[\w/]+\.(?:py|sh))([^\n`#]*)", text))
    return sorted(found)


def test_documented_options_exist():
    helps: dict[str, str] = {}
    for tool, arguments in commands():
        script = {
            "tools/dist_train.sh": "tools/train.py",
            "tools/dist_test.sh": "tools/test.py",
        }.get(tool, tool)
        options = re.findall(r"(?<=\s)--[\w-]+", arguments)
        if not options or script.endswith(".sh"):
            continue
        if script not in helps:
            helps[script] = help_text(script)
        unknown = [option for option in options if option not in helps[script]]
        assert not unknown, f"{script} has no {unknown}"


def help_text(script: str) -> str:
    if script.startswith("tools/benchmarks/"):  # their options are all in the file itself
        return (ROOT / script).read_text()
    call = [sys.executable, str(ROOT / script), "--help"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(call, capture_output=True, text=True, env=env, check=True).stdout


def test_documented_settings_exist():
    """``key=value`` after --cfg-options must change something that the configuration has."""
    checked = 0
    for _, arguments in commands():
        config = re.search(r"configs/[\w/]+\.py", arguments)
        if "--cfg-options" not in arguments or not config:
            continue
        cfg = Config.fromfile(ROOT / config.group())
        for key in re.findall(r"([\w.]+)=", arguments.split("--cfg-options")[1]):
            node = cfg
            for part in key.split("."):
                place = int(part) if isinstance(node, list) else part
                has = place < len(node) if isinstance(node, list) else place in node
                assert has, f"{key} is not in {config.group()}"
                node = node[place]
            checked += 1
    assert checked, "the documents no longer show --cfg-options"
