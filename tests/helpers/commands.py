"""Commands that documents and configurations show: found, parsed by their tools, compared."""

import ast
import re
import shlex
import sys
from argparse import Namespace
from functools import cache
from pathlib import Path

from mmengine.config import Config

from mmreid_ext.cli.config import load_config

from .paths import ROOT
from .tools import load_tool

_BLOCK = re.compile(r"(?ms)^```(?:bash)?\n(.*?)^```|((?:^(?: {4}[^\n]*)?\n)+)")
_TOOL = re.compile(
    r"(?:\w+=\S+ +)*(?:(?:python|bash) )?tools/[\w/]+\.(?:py|sh)\b|mim (?:train|test) "
)


def in_markdown(text: str) -> list[str]:
    """Return the commands of our tools in a document: lines of its blocks, and spans of code."""
    fenced = re.compile(r"(?ms)^```\w+\n.*?^```").sub(
        lambda block: block.group() if block.group().startswith("```bash") else "", text
    )
    blocks = "\n".join(a or b for a, b in _BLOCK.findall(fenced)).replace("\\\n", " ")
    spans = re.findall(r"`([^`\n]+)`", re.sub(_BLOCK, "\n", fenced))
    lines = [line.strip() for line in [*blocks.split("\n"), *spans]]
    return sorted({line for line in lines if _TOOL.match(line)})


def in_tool(path: Path) -> list[str]:
    """Return the commands in the docstring of a tool, or in the comment at the top of a script."""
    text = path.read_text()
    text = ast.get_docstring(ast.parse(text)) if path.suffix == ".py" else text
    lines = (text or "").replace("\\\n", " ").split("\n")
    return [line.strip() for line in lines if _TOOL.match(line.strip())]


def parse(line: str) -> tuple[str, Namespace | None]:
    """Return the tool of a command and its arguments as the tool reads them.

    ``[optional parts]`` are read as given, ``$variables`` as 0. Arguments are None for tools that
    have no parser of their own.

    Raises:
        AssertionError: If it is no command of a tool that exists.
        SystemExit: If the tool refuses the arguments.
    """
    plain = re.sub(r"\[([^\]=]*)\]", r"\1", line)
    words = shlex.split(re.sub(r"\$\w+", "0", plain), comments=True)
    while words and re.fullmatch(r"[A-Z_]+=\S+", words[0]):
        words.pop(0)
    if words[0] in ("python", "bash"):
        words.pop(0)
    if words[0] == "mim":
        words = [f"tools/{words[1]}.py", *(word for word in words[3:] if word != "--checkpoint")]
    script = re.fullmatch(r"tools/((?:\w+/)?\w+)\.(py|sh)", words.pop(0))
    assert script, f"a command stands in a line of its own, not in {line!r}"
    assert (ROOT / script.group()).is_file(), f"{script.group()} does not exist"
    tool = script.group(1)
    if tool.startswith("dist_"):
        tool = tool.removeprefix("dist_")
        ranks = words.pop(1 if tool == "train" else 2)
        assert ranks.isdigit() or ranks == "RANKS"
        if tool == "train" and "--max-restarts" in words:  # the launcher's own
            place = words.index("--max-restarts")
            assert words[place + 1].isdigit() or words[place + 1] == "R"
            del words[place : place + 2]
        words = [] if "options" in words else words
    elif script.group(2) == "sh":
        return tool, None
    return tool, _arguments(tool, words)


def _arguments(tool: str, words: list[str]) -> Namespace | None:
    path = ROOT / "tools" / f"{tool}.py"
    words = [word for word in words if word != "--help"]
    if not words or "def parse_args" not in path.read_text():
        unknown = [word for word in words if word.startswith("--") and word not in path.read_text()]
        assert not unknown, f"{path.name} has no {unknown}"
        return None
    before = sys.argv, list(sys.path), set(sys.modules)
    try:
        sys.path.insert(0, str(path.parent))  # benchmarks import their neighbours
        module = _tool(tool)
        sys.argv = [path.name, *words]
        return module.parse_args()
    finally:
        sys.argv, sys.path[:] = before[0], before[1]


def check(line: str) -> int:
    """Check that a command would start; return the number of settings that it changes.

    Raises:
        AssertionError: If a file or a setting doesn't exist.
        SystemExit: If the tool refuses the arguments.
        UserError: If a setting would have no effect.
    """
    _, args = parse(line)
    config = Path(getattr(args, "config", None) or "")
    if config.parts[:1] != ("configs",):  # a placeholder, or a name that mim looks up
        return 0
    args.config = str(ROOT / config)
    plain = _plain(args.config)
    if not hasattr(args, "launcher"):
        return 0
    load_config(args)  # refuses options that nothing reads
    options = args.cfg_options or {}
    absent = [key for key in options if _is_missing(plain, key)]
    assert not absent, f"{config} has no {absent}"
    return len(options)


_tool = cache(load_tool)  # documents name the same tools and configurations again and again
_plain = cache(Config.fromfile)


def _is_missing(cfg: Config, key: str) -> bool:
    """Whether the configuration has no such key. ``init_cfg`` may be added where there is none."""
    node = cfg
    for part in key.partition(".init_cfg")[0].split("."):
        place = int(part) if isinstance(node, list) else part
        if not (place < len(node) if isinstance(node, list) else place in node):
            return True
        node = node[place]
    return False
