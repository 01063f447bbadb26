"""What the suite has found so far, as JSON and as Markdown for docs/benchmarks.md."""

from __future__ import annotations

import json
import math
import textwrap
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmreid_ext.output_files.atomic import atomic_write
from mmreid_ext.shorten import several

NAME = "gpu_suite"
WIDTH = 120
"""Characters of a line of our documents"""
EVERY = 0.5
"""Seconds between two writes while a part runs"""
STATES = {
    "waiting": "not run: the suite ended before it.",
    "running": "was running when this was written.",
}


class Document:
    """Collect the results of the parts; keep two files up to date.

    Args:
        folder: Where ``gpu_suite.json`` and ``gpu_suite.md`` are written.
        settings: What the suite was asked for.
        parts: Names of the parts, in order.
    """

    def __init__(self, folder: Path, settings: dict[str, Any], parts: Sequence[str]) -> None:
        self.folder = folder
        self.machine: dict[str, str] = {}
        self.settings = settings
        self.parts = {name: _empty(name) for name in parts}
        self._written = 0.0

    def take(self, name: str, event: dict[str, Any]) -> None:
        """Add one result of a part."""
        kind = event["kind"]
        if kind == "machine":
            self.machine = self.machine or event["facts"]
            return
        part = self.parts[name]
        if kind == "begin":
            part.update(state="running", limit_s=event["limit"])
        elif kind == "about":
            part.update(title=event["title"], about=event["text"])
        elif kind == "row":
            part["tables"].setdefault(event["table"], []).append(event["cells"])
        elif kind == "check":
            part["checks"].append({key: event[key] for key in ("name", "error", "limit", "equal")})
        elif kind == "note":
            part["notes"].append(event["text"])
        elif kind == "skipped":
            part.update(skipped=True, message=event["text"])
        elif kind == "error":
            part["errors"].append({key: event[key] for key in ("name", "text", "trace")})
        elif kind == "end":
            part.update(state=event["state"], seconds=event["seconds"])
            if part.pop("skipped", False) and event["state"] == "done":
                part["state"] = "skipped"
            elif event["state"] != "done":
                part["message"] = event["text"]
        if kind == "end" or time.monotonic() - self._written > EVERY:
            self.write()

    def unequal(self) -> list[str]:
        """Names of the equalities that don't hold."""
        return [c["name"] for part in self.parts.values() for c in part["checks"] if not c["equal"]]

    def write(self) -> None:
        """Write both files, each whole."""
        self._written = time.monotonic()
        found = dict(machine=self.machine, settings=self.settings, parts=self.parts)
        found["unequal"] = self.unequal()
        text = json.dumps(_plain(found), indent=1)
        atomic_write(self.folder / f"{NAME}.json", f"{text}\n".encode())
        atomic_write(self.folder / f"{NAME}.md", self.markdown().encode())

    def markdown(self) -> str:
        """Write everything as a section of docs/benchmarks.md."""
        facts = dict(self.machine)
        title = f"### {facts.pop('device', 'The device was not found')}, {facts.pop('date', '')}"
        command = f"    python tools/benchmarks/gpu_suite.py {self.settings['arguments']}".rstrip()
        lines = [title.rstrip(", "), "", command, ""]
        lines += ["; ".join(f"{name} {value}" for name, value in facts.items()) + ".", ""]
        if self.settings["toy"]:
            lines += ["**A trial of the suite at toy size: its times mean nothing.**", ""]
        for part in self.parts.values():
            lines += _section(part)
        return "\n".join(lines)


def _empty(name: str) -> dict[str, Any]:
    return dict(
        title=name.capitalize(),
        about="",
        state="waiting",
        message="",
        **dict(tables={}, checks=[], notes=[], errors=[]),
    )


def _section(part: dict[str, Any]) -> list[str]:
    lines = [f"#### {part['title']}", ""]
    told = summary(part)
    for text in (part["about"], told[:1].upper() + told[1:]):
        lines += [textwrap.fill(text, WIDTH, break_on_hyphens=False), ""] if text else []
    checks = _rows_of_checks(part["checks"])
    for rows in ([r for r in checks if "error" not in r], [r for r in checks if "error" in r]):
        lines += _table(rows) if rows else []
    for name, rows in part["tables"].items():
        lines += [f"{name}:", ""] if len(part["tables"]) > 1 else []
        lines += _table(rows)
    for error in part["errors"]:
        lines += [f"* **{error['name']} raised** `{error['text'].replace('`', chr(39))}`"]
    for note in part["notes"]:
        lines += textwrap.wrap(f"* {note}", WIDTH, subsequent_indent="  ", break_on_hyphens=False)
    return lines + ([""] if part["errors"] or part["notes"] else [])


def summary(part: dict[str, Any]) -> str:
    """Say in a sentence how a part went; empty if there is nothing to say."""
    told = []
    if part["state"] == "skipped":
        told.append(f"skipped: {part['message']}")
    elif part["state"] in ("failed", "ended"):
        after = f" after {part['seconds']:.0f} s"
        rest = "What it found before stands here." if part["tables"] or part["checks"] else ""
        told.append(f"**{part['state']}{after}: {part['message']}.** {rest}".rstrip())
    elif part["state"] in STATES:
        told.append(STATES[part["state"]])
    checks = part["checks"]
    if checks:
        bad, number = sum(not check["equal"] for check in checks), several(len(checks), "equality")
        fail = f"**{bad} of {number} {'does' if bad == 1 else 'do'} not hold.**"
        told.append(fail if bad else f"{number}, all hold.")
    return " ".join(told)


def _rows_of_checks(checks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row per case, its types as columns or ``error``; bold is what does not hold."""
    rows: dict[str, dict[str, Any]] = {}
    for check in checks:
        plain, _, worst = check["name"].rstrip(")").partition(" (")
        case, _, kind = plain.rpartition(", ")
        known = kind in ("float64", "float32", "float16", "bfloat16")
        name, column = (case, kind) if known else (plain, "error")
        cell = _error(check["error"])
        if not check["equal"]:
            of = f"{worst}, " if worst else ""
            cell = f"**{cell}** ({of}limit {_error(check['limit'])})"
        rows.setdefault(name, {"case": name})[column] = cell
    return list(rows.values())


def _error(value: float) -> str:
    if math.isnan(value):
        return "none"
    whole = math.isinf(value) or value.is_integer()
    return f"{value:.0f}" if whole else f"{value:.1e}"


def _table(rows: list[dict[str, Any]]) -> list[str]:
    """Write rows; a column that is empty in all of them is left out."""
    named = dict.fromkeys(column for row in rows for column in row)
    columns = [c for c in named if any(row.get(c) is not None for row in rows)]
    lines = [" | ".join(columns), "|".join("---" for _ in columns)]
    lines = [f"| {lines[0]} |", f"|{lines[1]}|"]
    lines += ["| " + " | ".join(_cell(row.get(c)) for c in columns) + " |" for row in rows]
    return [*lines, ""]


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "**no**"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value).replace("|", "\\|")


def _plain(value: Any) -> Any:
    """Replace what JSON has no word for: numbers that aren't finite become their names."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
