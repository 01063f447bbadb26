"""Which module of a package names which other one, and what is too long or too crowded."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path


def modules_of(package: Path) -> dict[str, Path]:
    """Return the files of a package's modules by dotted name; ``.mim`` holds copies of tools."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        if ".mim" not in parts:
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def import_graph(modules: Mapping[str, Path]) -> dict[str, set[str]]:
    """Return what each module imports of the package, wherever the statement stands.

    Inside functions and ``if TYPE_CHECKING`` as well. Importing a module also executes the
    ``__init__`` of its folders, so these count, unless the importing module lies in the folder.
    """
    graph = {}
    for name, path in modules.items():
        named = {other for other in _named(name, path, modules) if other != name}
        folders = {".".join(other.split(".")[:n]) for other in named for n in range(1, 9)}
        outside = {f for f in folders & modules.keys() if not f"{name}.".startswith(f"{f}.")}
        graph[name] = named | (outside - {name})
    return graph


def _named(name: str, path: Path, modules: Mapping[str, Path]) -> Iterable[str]:
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *(node.module or "").split(".")]).strip(".")
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                if whole in modules or base in modules:
                    yield whole if whole in modules else base


def find_circle(graph: Mapping[str, set[str]]) -> list[str]:
    """Return the modules of one circle, the first repeated at the end, or nothing."""
    done: set[str] = set()
    path: list[str] = []

    def visit(name: str) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name not in done:
            path.append(name)
            for other in sorted(graph[name]):
                if circle := visit(other):
                    return circle
            done.add(path.pop())
        return []

    return next((circle for name in sorted(graph) if (circle := visit(name))), [])


def room_of(name: str) -> str:
    """Return the folder or file right below the package; ``""`` for the package itself."""
    return [*name.split("."), ""][1]


def upward_imports(
    graph: Mapping[str, set[str]],
    floors: Sequence[set[str]],
    same_floor: set[tuple[str, str]] = frozenset(),
) -> list[str]:
    """Return the imports of a room on the same floor or above.

    Args:
        graph: What imports what.
        floors: Rooms of the package, from the ground up. A room without a floor, as the package
            itself, may import all.
        same_floor: Pairs of rooms of one floor where the first may import the second.
    """
    level = {room: number for number, floor in enumerate(floors) for room in floor}
    wrong = []
    for name, imported in graph.items():
        for other in imported:
            here, there = room_of(name), room_of(other)
            apart = here != there and (here, there) not in same_floor
            if apart and level.get(there, 0) >= level.get(here, len(floors)):
                wrong.append(f"{name} imports {other}")
    return sorted(wrong)


def crowded_folders(
    package: Path, limits: Mapping[str, int], other: int, free: set[str]
) -> dict[str, int]:
    """Return the number of modules of the folders that hold too many side by side."""
    files = (path.parent.relative_to(package).as_posix() for path in modules_of(package).values())
    counts = Counter(files)
    return {f: n for f, n in counts.items() if f not in free and n > limits.get(f, other)}


def long_files(package: Path, limit: int) -> dict[str, int]:
    """Return the number of lines of the modules that have ``limit`` or more."""
    lines = {
        path.relative_to(package).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in modules_of(package).values()
    }
    return {name: count for name, count in lines.items() if count >= limit}


def long_functions(package: Path, limit: int) -> dict[str, int]:
    """Return the number of lines, docstring apart, of functions that have ``limit`` or more."""
    found = {}
    for path in modules_of(package).values():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                count = node.end_lineno - node.lineno + 1
                if ast.get_docstring(node) is not None:
                    count -= node.body[0].end_lineno - node.body[0].lineno + 1
                if count >= limit:
                    found[f"{path.relative_to(package).as_posix()}:{node.name}"] = count
    return found
