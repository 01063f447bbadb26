"""The comments of configurations can be copied: commands parse, files and settings exist."""

import re

import pytest
from helpers.commands import ROOT, check

CONFIGS = sorted((ROOT / "configs").rglob("*.py"))
COMMAND = re.compile(r"\btools/|--[a-z]|\b(python|bash|mim) ")


def comments(text: str) -> list[str]:
    """Return the lines of all comments that stand alone, a continued command in one."""
    lines = re.findall(r"(?m)^\s*#(.*)$", text)
    return [line.strip() for line in "\n".join(lines).replace("\\\n", " ").split("\n")]


def commands(text: str) -> list[str]:
    return [line for line in comments(text) if COMMAND.search(line)]


COMMANDS = [(path, line) for path in CONFIGS for line in commands(path.read_text())]


def test_there_are_commands():
    assert len(COMMANDS) > 10


@pytest.mark.parametrize(
    "path, line", COMMANDS, ids=[f"{path.stem}-{n}" for n, (path, _) in enumerate(COMMANDS)]
)
def test_every_command_parses(path, line):
    check(line)


@pytest.mark.parametrize(
    "comment",
    [
        # Two commands that re-wrapping merged, and a command that it cut.
        "#   python tools/make_synthetic.py --out data --domains 5 python\n"
        "#   tools/train.py configs/metabin_r18_synthetic.py",
        "#   tools/train.py configs/metabin_r50.py --seed\n#   0",
        # Commands inside a sentence, tools, options and settings that don't exist.
        "# Train it with tools/train.py configs/metabin_r50.py",
        "#   tools/trian.py configs/metabin_r50.py",
        "#   tools/train.py configs/metabin_r50.py --sed 0",
        "#   tools/train.py configs/metabin_r5.py",
        "#   tools/train.py configs/metabin_r50.py --cfg-options model.haed.num_classes=3",
    ],
)
def test_scars_and_misspellings_are_noticed(comment):
    found = commands(f"{comment}\nmodel = dict()\n")
    assert found
    with pytest.raises((AssertionError, SystemExit, ValueError, FileNotFoundError)):
        for line in found:
            check(line)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_named_files_exist(path):
    text = " ".join(comments(path.read_text()))
    named = re.findall(r"(?<![\w./])([\w/]+\.(?:py|md))\b", text)
    known = [p.relative_to(ROOT).as_posix() for p in ROOT.glob("[cdt]*/**/*.*")]
    absent = [name for name in named if not any(f"/{p}".endswith(f"/{name}") for p in known)]
    assert not absent
