"""Values of ``--cfg-options``: MMEngine's, and dicts."""

from __future__ import annotations

import argparse
import ast
from collections.abc import Iterable, Sequence
from typing import Any

from mmreid_ext.errors import UserError


class ConfigOptions(argparse.Action):
    """MMEngine's ``KEY=VALUE``, where a value may be a dict, too.

    ``key="dict(a=1, b=[2, 3])"`` and ``key="{'a': 1}"`` are read as Python literals.
    """

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        """Add the values to those of earlier ``--cfg-options``."""
        options = dict(getattr(namespace, self.dest, None) or {})
        try:
            options |= read_options(values or ())
        except UserError as error:
            raise argparse.ArgumentError(self, str(error)) from None
        setattr(namespace, self.dest, options)

    @staticmethod
    def read(text: str) -> Any:
        """Return the value that ``text`` stands for."""
        stripped = text.strip()
        if stripped.startswith(("{", "dict(")) or "dict(" in stripped or "{" in stripped:
            return literal(stripped)
        from mmengine.config import DictAction  # heavy; --help stays quick

        return DictAction._parse_iterable(text)


def read_options(items: Iterable[str]) -> dict[str, Any]:
    """Read ``KEY=VALUE`` as ``--cfg-options`` does; a later one replaces an earlier one.

    Raises:
        UserError: If one has another form, or if its value can't be read.
    """
    options = {}
    for item in items:
        key, separator, text = item.partition("=")
        if not separator or not key:
            raise UserError(f"{item!r} is not of the form KEY=VALUE; write it so.")
        try:
            options[key] = ConfigOptions.read(text)
        except (ValueError, SyntaxError, AssertionError) as error:
            raise UserError(f"{item!r} can't be read: {error}.") from None
    return options


def literal(text: str) -> Any:
    """Return the value of a Python literal, in which ``dict(a=1)`` is one, too.

    Raises:
        ValueError: If it holds anything else, such as a name or a call.
    """
    return ast.literal_eval(_CallsToDicts().visit(ast.parse(text, mode="eval")))


class _CallsToDicts(ast.NodeTransformer):
    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        plain = isinstance(node.func, ast.Name) and node.func.id == "dict" and not node.args
        if not plain or any(item.arg is None for item in node.keywords):
            raise ValueError("only literals and dict(name=value) can be given")
        names: list[ast.expr | None] = [ast.Constant(item.arg) for item in node.keywords]
        values = [item.value for item in node.keywords]
        return ast.copy_location(ast.Dict(keys=names, values=values), node)
