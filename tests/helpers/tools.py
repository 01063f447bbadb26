"""Tools as modules, called in this process, and code in a fresh one."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from .paths import ROOT, TOOLS


def load_script(path: Path) -> ModuleType:
    """Execute a script as a module, without its ``__main__`` part."""
    spec = importlib.util.spec_from_file_location(f"script_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def load_tool(name: str) -> ModuleType:
    """Return ``tools/<name>.py`` as a module; ``name`` may hold a folder."""
    return load_script(TOOLS / f"{name}.py")


def run_tool(name: str, monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    """Call the ``main`` of a tool with these command line arguments."""
    module = load_tool(name)
    monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
    module.main()


def run_python(code: str, *arguments: object, **options) -> subprocess.CompletedProcess:
    """Run code in a fresh interpreter that finds the package; return what it wrote and its status.

    ``options`` are those of :func:`subprocess.run`, ``env`` what to add to the environment.
    """
    env = dict(os.environ, PYTHONPATH=str(ROOT), OMP_NUM_THREADS="1") | options.pop("env", {})
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, env=env, capture_output=True, text=True, **options)
