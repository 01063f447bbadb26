"""The comments of configurations can be copied: commands parse, files and settings exist."""

import importlib.util
import re
import shlex
from pathlib import Path

import pytest
from mmengine.config import Config

from mmreid_ext.cli.config import load_config

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = sorted((ROOT / "configs").rglob("*.py"))
COMMAND = re.compile(r"\btools/|--[a-z]|\b(python|bash|mim) ")


def comments(text: str) -> list[str]:
    """Return the lines of all comments that stand alone, a continued command in one."""
    lines = re.findall(r"(?m)^\s*#(.*)$", text)
    return [line.strip() for line in "\n".join(lines).replace("\\\n", " ").split("\n")]


def commands(text: str) -> list[str]:
    return [line for line in comments(text) if COMMAND.search(line)]


COMMANDS = [(path, line) for path in CONFIGS for line in commands(path.read_text())]


def parse(line: str, monkeypatch):
    """Return the tool and its arguments as it reads them, or fail as a shell would."""
    words = shlex.split(line)
    if words[0] in ("python", "bash"):
        words.pop(0)
    script = re.fullmatch(r"tools/(\w+)\.(py|sh)", words.pop(0))
    assert script, f"a command stands in a line of its own, not in {line!r}"
    assert (ROOT / script.group()).is_file()
    tool = script.group(1)
    if script.group(2) == "sh":
        assert words.pop(1).isdigit()  # ranks
        tool = tool.removeprefix("dist_")
    spec = importlib.util.spec_from_file_location(f"header_{tool}", ROOT / "tools" / f"{tool}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr("sys.argv", [tool, *words])
    return module.parse_args()


def missing_setting(cfg: Config, key: str) -> bool:
    """Whether the configuration has no such key. ``init_cfg`` may be added where there is none."""
    node = cfg
    for part in key.partition(".init_cfg")[0].split("."):
        place = int(part) if isinstance(node, list) else part
        if not (place < len(node) if isinstance(node, list) else place in node):
            return True
        node = node[place]
    return False


def check(line: str, monkeypatch) -> None:
    """Raise or exit unless the command would start."""
    args = parse(line, monkeypatch)
    if not hasattr(args, "config"):
        return
    monkeypatch.chdir(ROOT)
    plain = Config.fromfile(args.config)
    load_config(args)  # refuses options that nothing reads
    absent = [key for key in args.cfg_options or {} if missing_setting(plain, key)]
    assert not absent, f"{args.config} has no {absent}"


def test_there_are_commands():
    assert len(COMMANDS) > 10


@pytest.mark.parametrize(
    "path, line", COMMANDS, ids=[f"{path.stem}-{n}" for n, (path, _) in enumerate(COMMANDS)]
)
def test_every_command_parses(path, line, monkeypatch):
    check(line, monkeypatch)


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
def test_scars_and_misspellings_are_noticed(comment, monkeypatch):
    found = commands(f"{comment}\nmodel = dict()\n")
    assert found
    with pytest.raises((AssertionError, SystemExit, ValueError, FileNotFoundError)):
        for line in found:
            check(line, monkeypatch)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_named_files_exist(path):
    text = " ".join(comments(path.read_text()))
    named = re.findall(r"(?<![\w./])([\w/]+\.(?:py|md))\b", text)
    known = [p.relative_to(ROOT).as_posix() for p in ROOT.glob("[cdt]*/**/*.*")]
    absent = [name for name in named if not any(f"/{p}".endswith(f"/{name}") for p in known)]
    assert not absent
