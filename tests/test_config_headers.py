"""The commands in the headers of configurations can be copied: they parse, and name what exists."""

import importlib.util
import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = sorted((ROOT / "configs").rglob("*.py"))


def header(path: Path) -> list[str]:
    """Lines of the comment at the top, a continued command in one."""
    lines = path.read_text().splitlines()
    end = next((n for n, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return "\n".join(line[1:] for line in lines[:end]).replace("\\\n", " ").split("\n")


COMMANDS = [
    (path, line.strip())
    for path in CONFIGS
    for line in header(path)
    if re.search(r"tools/\w+\.(py|sh)|--cfg-options|\bpython\b", line)
]


def parse(monkeypatch, tool: str, arguments: list[str]):
    spec = importlib.util.spec_from_file_location(f"header_{tool}", ROOT / "tools" / f"{tool}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr("sys.argv", [tool, *arguments])
    return module.parse_args()


def test_there_are_commands():
    assert len(COMMANDS) > 10


@pytest.mark.parametrize(
    "path, line", COMMANDS, ids=[f"{path.stem}-{n}" for n, (path, _) in enumerate(COMMANDS)]
)
def test_every_command_parses(path, line, monkeypatch):
    words = shlex.split(line)
    if words[0] in ("python", "bash"):
        words.pop(0)
    script = re.fullmatch(r"tools/(\w+)\.(py|sh)", words.pop(0))
    assert script, f"{path.name}: a command stands in a line of its own, not in {line!r}"
    assert (ROOT / script.group()).is_file()
    tool = script.group(1)
    if script.group(2) == "sh":
        assert words.pop(1).isdigit()  # ranks
        tool = tool.removeprefix("dist_")
    args = parse(monkeypatch, tool, words)
    if hasattr(args, "config"):
        assert ROOT / args.config == path or (ROOT / args.config).is_file()
