"""Take fields from a record that somebody else may have written, checked one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmreid_ext.errors import UserError
from mmreid_ext.shorten import one_line
from mmreid_ext.suggest import did_you_mean

_TEXT = 1000
"""Characters of the longest text that a record may hold."""

_REMEDY = "export the model again: python tools/export.py CHECKPOINT --out FOLDER"


@dataclass(frozen=True)
class Fields:
    """One object of a record.

    Attributes:
        values: What it holds.
        path: Its place in the record, with a dot behind; empty for the record itself.
        source: File that holds the record, for messages.
    """

    values: Mapping[str, Any]
    path: str
    source: str

    def inner(self, name: str) -> Fields:
        """Return an object inside this one."""
        return self.as_fields(self.values.get(name), name)

    def as_fields(self, value: Any, name: str) -> Fields:
        """Return a value of this object as an object."""
        if not isinstance(value, Mapping):
            raise self.wrong(name, value, "an object")
        return Fields(value, f"{self.path}{name}.", self.source)

    def items(self, name: str, longest: int) -> Sequence[Any]:
        """Return a list of at most ``longest`` entries."""
        value = self.values.get(name)
        if not isinstance(value, (list, tuple)) or len(value) > longest:
            raise self.wrong(name, value, f"a list of at most {longest} entries")
        return value

    def whole(self, name: str, lowest: int, highest: int) -> int:
        """Return a whole number between two limits."""
        value = self.values.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
            raise self.wrong(name, value, f"a whole number from {lowest} to {highest}")
        return value

    def flag(self, name: str) -> bool:
        """Return true or false."""
        value = self.values.get(name)
        if not isinstance(value, bool):
            raise self.wrong(name, value, "true or false")
        return value

    def choice(self, name: str, allowed: Sequence[str]) -> str:
        """Return one of several words."""
        value = self.values.get(name)
        if not isinstance(value, str) or value not in allowed:
            hint = did_you_mean(value, allowed) if isinstance(value, str) else ""
            raise self.wrong(name, value, f"one of {', '.join(allowed)}{hint}")
        return value

    def text(self, name: str) -> str:
        """Return a text on one line."""
        value = self.values.get(name)
        if not isinstance(value, str) or len(value) > _TEXT or not value.isprintable():
            raise self.wrong(name, value, f"printable text of at most {_TEXT} characters")
        return value

    def optional_text(self, name: str) -> str | None:
        """Return a text on one line; None if it is null or missing."""
        return None if self.values.get(name) is None else self.text(name)

    def per_channel(self, name: str, lowest: float, highest: float) -> tuple[float, ...] | None:
        """Return three numbers, one per channel; None if it is null."""
        value = self.values.get(name)
        if value is None:
            return None
        numbers = value if isinstance(value, (list, tuple)) else ()
        if len(numbers) == 1:
            numbers = [*numbers] * 3
        if len(numbers) != 3 or not all(_between(v, lowest, highest) for v in numbers):
            raise self.wrong(name, value, f"three numbers from {lowest:g} to {highest:g}, or null")
        return tuple(float(v) for v in numbers)

    def wrong(self, name: str, value: Any, expected: str) -> UserError:
        """Return the error that says what a field must be.

        Args:
            name: The field.
            value: What it is; None if it is missing.
            expected: What it must be.
        """
        missing = value is None and name not in self.values
        shown = "is missing" if missing else f"is {quoted(value)}"
        return UserError(
            f"{self.source}: {self.path}{name} {shown}, must be {expected}; {_REMEDY}."
        )


def quoted(value: Any) -> str:
    """Write a value of any kind and size on part of a line."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**30:
        return "a number of more than 30 digits"
    if isinstance(value, Mapping):
        return f"an object of {len(value)} entries"
    if isinstance(value, (list, tuple)):
        if len(value) > 8:
            return f"a list of {len(value)} entries"
        return one_line(f"[{', '.join(map(quoted, value))}]")
    return one_line(repr(value[:100] if isinstance(value, str) else value))


def _between(value: Any, lowest: float, highest: float) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and lowest <= value <= highest  # neither NaN nor infinity is
